import * as z from "zod";
import { dnsLabelSchema } from "./fields.ts";

/** Names one of `connections`. */
export const connectionRefSchema = z.strictObject({ name: dnsLabelSchema() });
