// What the schema finds wrong, in the words of a scenario.
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import type { Path, Problem } from './scenario-check.ts';
import { scenarioJsonSchema } from './scenario-schema.ts';

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : inOneLine(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
};

/** A number that JSON has no word for, or an alias that holds itself, is told all the same. */
function inOneLine(value: unknown): string {
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return 'something that holds itself';
  }
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
};

/** What zod found, in the words of a scenario. */
export function schemaProblems(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const value = valueAt(raw, path);
  const not = `, not ${show(value)}`;
  const one = (what: string): Problem[] => [{ path, what }];
  if (value === undefined && issue.code !== 'unrecognized_keys') return one('is missing');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const near = nearest(key, keysAt(path));
        const hint = near === null ? `known: ${keysAt(path).join(', ')}` : `did you mean ${near}?`;
        return { path: [...path, key], what: `unknown key: ${hint}`, isKey: true };
      });
    case 'invalid_type':
      return one(`must be ${KINDS[issue.expected] ?? issue.expected}${not}`);
    case 'too_small':
      return one(
        issue.origin === 'array' || issue.origin === 'string'
          ? 'must not be empty'
          : `must be at least ${issue.minimum}${not}`,
      );
    case 'too_big':
      return one(
        issue.origin === 'string'
          ? `must be at most ${issue.maximum} characters long`
          : `must be at most ${issue.maximum}${not}`,
      );
    case 'not_multiple_of':
      return one(`must be a multiple of ${issue.divisor}${not}`);
    case 'invalid_value': {
      const near = typeof value === 'string' ? nearest(value, issue.values.map(String)) : null;
      const hint = near === null ? '' : `: did you mean ${near}?`;
      return one(`must be one of ${issue.values.join(', ')}${not}${hint}`);
    }
    case 'invalid_union':
      return path[0] === 'seed' ? one(`must be a decimal number${not}`) : one(`${issue.message}${not}`);
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return one(`${issue.message}${not}`);
  }
}

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const part of path) value = (value as Record<string | number, unknown> | undefined)?.[part];
  return value;
}

interface Shape {
  properties?: Record<string, Shape>;
  items?: Shape;
}

function keysAt(path: Path): string[] {
  let shape: Shape | undefined = scenarioJsonSchema();
  for (const part of path) shape = typeof part === 'number' ? shape?.items : shape?.properties?.[part];
  return Object.keys(shape?.properties ?? {});
}
