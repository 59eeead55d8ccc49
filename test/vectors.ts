import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const ROOT = new URL('./vectors/sequential/', import.meta.url);

/** The sequential vectors that ship with the project: profile and file name. */
export function vectorFiles(): { profile: string; name: string }[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: profile }) => readdirSync(new URL(`${profile}/`, ROOT)).map((name) => ({ profile, name })));
}

/** The text of a vector, unzipped. */
export function vectorText({ profile, name }: { profile: string; name: string }): string {
  return gunzipSync(readFileSync(new URL(`${profile}/${name}`, ROOT))).toString();
}
