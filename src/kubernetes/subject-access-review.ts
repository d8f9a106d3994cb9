import { z } from "zod";
import type { KubernetesClient } from "./client.ts";
import { KubernetesError } from "./kubernetes-error.ts";

const statusSchema = z.object({
  allowed: z.boolean().default(false),
  denied: z.boolean().optional(),
  reason: z.string().optional(),
  evaluationError: z.string().optional(),
});

const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/** `status` of a SubjectAccessReview; Go leaves `allowed` out only in old versions, where absent is false. */
export type SubjectAccessReviewStatus = Readonly<z.infer<typeof statusSchema>>;

/** Asks the cluster's SubjectAccessReview API what users may do. */
export interface SubjectAccessReviewer {
  review(spec: object): Promise<SubjectAccessReviewStatus>;
}

/** Creates the reviewer; it sends `spec` as it is. `review` rejects with a KubernetesError. */
export function createSubjectAccessReviewer(client: KubernetesClient): SubjectAccessReviewer {
  return {
    async review(spec) {
      const answer = await client.post(path, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec,
      });
      const review = z.object({ status: statusSchema }).safeParse(answer);
      if (review.success) return review.data.status;
      throw new KubernetesError("Malformed", `POST ${path}: answer is not a SubjectAccessReview`);
    },
  };
}
