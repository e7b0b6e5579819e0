// The last steps of .ci/build-site: bundles the style, compresses a release, and brings the site up to date.
//
//   node .ci/finish-site.mjs PROFILE FOLDER SITE
//
// Files of SITE that are as they were keep their time: the program has them inside, and is compiled again where one
// changed.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const [profile, folder, site] = process.argv.slice(2);
const fromEnd2end = createRequire(resolve('end2end/package.json'));
const browserslist = fromEnd2end('browserslist');
const { browserslistToTargets, bundle } = fromEnd2end('lightningcss');
const isRelease = profile !== 'dev';

/** The files below a folder, by their names from there on. */
function filesIn(root) {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1));
}

// A mistake in the style ends the build here; nothing is passed over.
const style = bundle({
  filename: 'style/main.css',
  minify: isRelease,
  targets: browserslistToTargets(browserslist('defaults')),
});
const wanted = new Map(filesIn(folder).map((name) => [name, readFileSync(join(folder, name))]));
wanted.set('pkg/ipack-connect.css', Buffer.from(style.code));
if (isRelease) {
  for (const [name, bytes] of [...wanted]) {
    wanted.set(`${name}.br`, brotliCompressSync(bytes));
    wanted.set(`${name}.gz`, gzipSync(bytes, { level: 9 }));
  }
}

for (const name of filesIn(site)) {
  if (!wanted.has(name)) rmSync(join(site, name));
}
for (const [name, bytes] of wanted) {
  const file = join(site, name);
  if (existsSync(file) && readFileSync(file).equals(bytes)) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}
