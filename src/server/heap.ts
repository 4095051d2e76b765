/**
 * The JavaScript heap of the program. Eight seconds after something has happened in it, V8 collects the whole of it to
 * save memory, twice: with a heap of 8 MB that holds the loop up for 4 to 8 ms and, on one core, threads that mark take
 * turns with it. A server that was left alone for some seconds would answer its next burst late, for a megabyte or two.
 * Collections that memory is needed for are not touched.
 */
import v8 from 'node:v8';

/** Of the process, so for the programs only: a server inside another program leaves its V8 alone. */
export function neverCollectWhenIdle(): void {
  v8.setFlagsFromString('--gc-memory-reducer-start-delay-ms=2000000000');
}
