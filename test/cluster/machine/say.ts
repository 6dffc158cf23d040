/** Prints one line of progress on stderr, with the seconds since the process began. */
export function say(line: string): void {
  process.stderr.write(
    `[${performance.now() > 99_950 ? "" : " "}${(performance.now() / 1000).toFixed(1)} s] ${line}\n`,
  );
}
