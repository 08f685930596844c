/** The JSON Schemas of what users write and read. */
import { z } from 'zod';
import { patternSchema } from '../pattern/pattern.ts';
import { reportSchema } from '../report/report.ts';

export const SCHEMAS = {
  pattern: () => z.toJSONSchema(patternSchema, { io: 'input' }),
  report: () => z.toJSONSchema(reportSchema),
};
