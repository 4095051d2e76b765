/**
 * The JavaScript heap of the programs. Eight seconds after something has happened in it, V8 collects the whole of it to
 * save memory, twice: with a heap of 8 MB that holds the loop up for 4 to 8 ms and, on one core, threads that mark take
 * turns with it. A server that was left alone for some seconds would answer its next burst late, for a megabyte or two.
 * Collections that memory is needed for are not touched. The first timer is set early, so the programs import this
 * before anything else; a server inside another program leaves that program's V8 alone.
 */
import v8 from 'node:v8';

v8.setFlagsFromString('--gc-memory-reducer-start-delay-ms=2000000000');
