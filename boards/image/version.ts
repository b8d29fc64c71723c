/** Version of an image, as MCUboot writes it: major.minor.revision+build. */
export interface ImageVersion {
  major: number;
  minor: number;
  revision: number;
  build: number;
}

/** [MCUboot] imgtool's rule, every number within its field; null when the text is none. */
export function versionOf(text: string): ImageVersion | null {
  const found = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,5})(?:\+(\d{1,10}))?)?$/.exec(text);
  if (found === null) return null;
  const [major, minor, revision, build] = [1, 2, 3, 4].map((n) => Number(found[n] ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  if (major > 0xff || minor > 0xff || revision > 0xffff || build > 0xffff_ffff) return null;
  return { major, minor, revision, build };
}

export const versionText = ({ major, minor, revision, build }: ImageVersion): string =>
  `${major}.${minor}.${revision}${build === 0 ? '' : `+${build}`}`;
