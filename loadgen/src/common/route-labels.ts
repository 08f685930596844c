/**
 * The route and method under which the service counts a request. Patterns declare these labels, and the verification compares them.
 */
import { z } from 'zod';

export const routeLabelsSchema = z.strictObject({
  route: z.string().meta({
    description: "The service's label, for example /users/:id. Empty for requests that match no route.",
  }),
  method: z.string().optional().meta({ description: 'If it differs from the method of the request.' }),
});
export type RouteLabels = z.output<typeof routeLabelsSchema>;
