/** Under which route and method the service counts a request: what a pattern declares, and what the verification compares. */
import { z } from 'zod';

export const routeLabelsSchema = z.strictObject({
  route: z.string().meta({
    description: 'As the service labels it, such as /users/:id. Empty for requests that no route matches.',
  }),
  method: z.string().optional().meta({ description: 'Where it differs from the method that is sent.' }),
});
export type RouteLabels = z.output<typeof routeLabelsSchema>;
