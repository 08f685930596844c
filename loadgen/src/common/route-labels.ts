/** The labels under which the API counts a request: what a pattern declares, and what the verification compares. */
import { z } from 'zod';

export const routeLabelsSchema = z.strictObject({ path: z.string(), method: z.string() });
export type RouteLabels = z.output<typeof routeLabelsSchema>;
