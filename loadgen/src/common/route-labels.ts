/** The labels under which the API counts a request: what a pattern declares, a expectedCounts adds up and the verification compares. */
import { z } from 'zod';

export const routeLabelsSchema = z.strictObject({ path: z.string(), method: z.string() });
export type RouteLabels = z.output<typeof routeLabelsSchema>;
