import { errorFromUnknown } from "../runtime/errors.ts";

/** Waits for work; a failure says what it was for, such as `kubeconfig: …`, since a bare file name tells nobody which flag to change. */
export async function named<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (reason) {
    throw new Error(`${what}: ${errorFromUnknown(reason).message}`, { cause: reason });
  }
}
