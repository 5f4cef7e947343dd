// file-touches.ts: what people and their tools do to a file of a running store, whichever file it is.

/** Commands of a shell, in the directory that the file's path begins at. */
export function touchesOf(file: string): string[] {
  return [
    `rm ${file}`,
    `mv ${file} ${file}.1`,
    `cp ${file} ${file}.copy && mv ${file}.copy ${file}`,
    `sed -i -e '' ${file}`,
    `: > ${file}`,
  ];
}
