/** Reads reports back: whole, and each mistake with its place. */
import { CheckError } from '../common/errors.ts';
import { readJson } from '../common/files.ts';
import { type Report, reportSchema } from './report.ts';

/** @throws CheckError that names the file and the place of every mistake */
export async function readReport(path: string): Promise<Report> {
  const { success, data, error } = reportSchema.safeParse(await readJson(path));
  if (success) return data;
  const places = error.issues.map(
    ({ path: at, message }) => `${path}: ${at.join('.') || 'the file'}: ${message}`,
  );
  throw new CheckError(places.join('\n'));
}
