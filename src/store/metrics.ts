import { Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { StoreSize } from "./reading-store.ts";

/** Registers what the store holds, counted at each scrape. No labels. */
export function createStoreMetrics(registry: Registry, read: () => StoreSize): void {
  const gauge = (name: string, help: string, part: keyof StoreSize): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read()[part]);
      },
    });
  };
  gauge("leadline_store_queries", "Queries that the store has room for.", "queries");
  gauge("leadline_store_readings", "Readings held over all queries.", "readings");
  gauge(
    "leadline_store_readings_capacity",
    "Readings that fit over all queries before the oldest make way.",
    "capacity",
  );
}
