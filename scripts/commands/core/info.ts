import { Command } from 'commander';
import { logOf, panicOf, stateOf } from '../../../boards/core/epitaph.ts';
import { missingRuns, pageRuns } from '../../../boards/core/memory-source.ts';
import { regionsOf } from '../../../boards/core/regions.ts';
import { CHUNK_BYTES, MISSING_POISONED } from '../../../asm/layout.ts';
import { REASONS, shortMissing, word } from '../../../boards/core/words.ts';
import { infoLines, placeOf } from '../../render/core-info.ts';
import type { Findings } from '../../render/core-info.ts';
import { countsOf } from '../../render/core-map.ts';
import { lookOf } from '../../render/look.ts';
import { jsonOption } from '../options.ts';
import { print } from '../show.ts';
import { firmwareOption, sourceArgument, symbolsOf, withSource } from './source.ts';

export const infoCommand = (): Command =>
  new Command('info')
    .summary('why the board panicked, and how much of its memory there is')
    .description(
      'Tells why and where the board panicked, with the line of its source, and which memory there is.',
    )
    .addArgument(sourceArgument())
    .addOption(firmwareOption())
    .addOption(jsonOption('all of it as one JSON object'))
    .action(async (spec: string, flags: { firmware?: string; json?: true }) => {
      await withSource(spec, async (source) => {
        const panic = await panicOf(source);
        const findings = {
          source,
          panic,
          log: await logOf(source),
          state: await stateOf(source),
          symbols: symbolsOf(flags.firmware, panic),
        };
        if (flags.json === true) print([JSON.stringify(asJson(findings))]);
        else print(infoLines(lookOf(process.stdout, process.env), findings));
      });
    });

function asJson({ source, panic, log, symbols }: Findings): object {
  const known = panic === 'none' ? null : panic;
  const place = known === null ? null : placeOf(known, symbols);
  const build = known?.build ?? source.dump?.build ?? null;
  return {
    source: source.name,
    kind: source.kind,
    panic:
      known === null
        ? null
        : {
            reason: word(REASONS, known.reason),
            text: known.text,
            place: place ?? known.place,
            source_line: place === null ? null : (symbols?.source(place.file)?.[place.line - 1] ?? null),
            pc: known.pc,
            function: symbols?.build === known.build ? (symbols.function(known.pc)?.name ?? null) : null,
            address: known.address,
            phase: known.phase,
            utc_seconds: known.utcSeconds,
            uptime_s: Number(known.timeUs) / 1e6,
            system: known.system,
            epoch: known.epoch,
          },
    build,
    build_matches: build === null || symbols === null ? null : build === symbols.build,
    dump: source.dump,
    cleared: source.scrubbed.map(({ address, bytes }) => ({ address, bytes })),
    memory: {
      bytes: source.memoryBytes,
      ...countsOf(source.map),
      missing_ranges: missingRuns(source.map).map(({ first, chunks, reason }) => ({
        first_chunk: first,
        chunks,
        reason: shortMissing(reason),
      })),
      missing_pages: [...source.poisoned].flatMap(([chunk, poison]) =>
        pageRuns(poison)
          .filter(({ isPoisoned }) => isPoisoned)
          .map(({ offset, bytes }) => ({
            address: chunk * CHUNK_BYTES + offset,
            bytes,
            reason: shortMissing(MISSING_POISONED),
          })),
      ),
      regions: regionsOf(source).map((region) => ({
        ...region,
        ...countsOf(source.map.subarray(region.firstChunk, region.firstChunk + region.chunks)),
      })),
    },
    log: log?.slice(-20) ?? null,
    problems: source.problems,
  };
}
