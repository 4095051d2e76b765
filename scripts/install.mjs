/**
 * npm's install hook. Nothing to do where a prebuilt (or an earlier compiled) addon loads; otherwise compiles
 * one. A checkout is left alone: there `npm run build` (or `npm start`, `npm test`) builds, with progress.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compile, root, tryAddon } from './native.mjs';

const forced = process.env.npm_config_build_from_source === 'true';
const checkout = existsSync(join(root, 'src'));

const trouble = forced ? 'npm_config_build_from_source asks for it' : tryAddon();
if (trouble === '') {
  // The usual case: silent.
} else if (checkout) {
  console.log('kvasir: a checkout; "npm run build" compiles the addon.');
} else {
  console.log(`kvasir: compiling the native addon, because ${trouble}`);
  try {
    await compile();
    const still = tryAddon();
    if (still !== '') throw new Error(`The addon was compiled but does not load: ${still}`);
  } catch (error) {
    console.error(`kvasir: no native addon for ${process.platform}-${process.arch}.\n${error.message}`);
    process.exitCode = 1;
  }
}
