import { z } from "zod";
import type { KubernetesClient } from "./client.ts";
import { KubernetesError } from "./kubernetes-error.ts";

const statusSchema = z.object({
  authenticated: z.boolean().default(false),
  user: z
    .object({
      username: z.string().default(""),
      uid: z.string().optional(),
      groups: z.array(z.string()).optional(),
      extra: z.record(z.string(), z.array(z.string())).optional(),
    })
    .optional(),
  error: z.string().optional(),
});

const path = "/apis/authentication.k8s.io/v1/tokenreviews";

/** `status` of a TokenReview; Go leaves `authenticated` out when it is false. */
export type TokenReviewStatus = Readonly<z.infer<typeof statusSchema>>;

/** Asks the cluster's TokenReview API about bearer tokens. */
export interface TokenReviewer {
  review(token: string): Promise<TokenReviewStatus>;
}

/** Creates the reviewer. `review` rejects with a KubernetesError that never names the token. */
export function createTokenReviewer(client: KubernetesClient): TokenReviewer {
  return {
    async review(token) {
      const answer = await client.post(path, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token },
      });
      const review = z.object({ status: statusSchema }).safeParse(answer);
      if (review.success) return review.data.status;
      throw new KubernetesError("Malformed", `POST ${path}: answer is not a TokenReview`);
    },
  };
}
