/** What is read as one trace: a path (`-` is standard input), or several files of one capture. */
export type Input = string | readonly string[];

/** Ends the name of several files. */
const TOGETHER = ' --together';

/** The files of an input. */
export function filesOf(input: Input): readonly string[] {
  return typeof input === 'string' ? [input] : input;
}

/** An input as it is named in reports: a path, or as several files stand on the command line. */
export function inputName(input: Input): string {
  return typeof input === 'string' ? input : `${input.map(quoted).join(' ')}${TOGETHER}`;
}

/** Whether a name is one of several files, which can be given to a shell as it is. */
export function namesFiles(name: string): boolean {
  return name.endsWith(TOGETHER);
}

/** A path as an argument that can be given to a shell. */
export function quoted(path: string): string {
  if (/^[\w@%+=:,./-]+$/.test(path) && !path.startsWith('-')) return path;
  return `'${path.startsWith('-') ? './' : ''}${path.replaceAll("'", "'\\''")}'`;
}
