// Configuration text is bytes, carried as latin1 strings: one UTF-16 unit per byte, so that a password or a path in
// any encoding survives CONFIG SET, CONFIG GET and CONFIG REWRITE unchanged.

/** The bytes of a latin1 string, for file system calls. */
export function toPath(bytes: string): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** The latin1 carrier of a JavaScript string (an argument of the process, a working directory). */
export function fromUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function toUtf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** What C sees of a string: everything before the first NUL. */
export function cString(bytes: string): string {
  const end = bytes.indexOf('\0');
  return end < 0 ? bytes : bytes.slice(0, end);
}

/** Lower case of the ASCII letters only, as tolower(3) in the C locale; toLowerCase would also change À to à. */
export function asciiLower(bytes: string): string {
  return bytes.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function asciiUpper(bytes: string): string {
  return bytes.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
