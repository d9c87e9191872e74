/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `CARILLON=http://127.0.0.1:8080 npm run dev` shows a running platform through this page.
const platform = process.env.CARILLON ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": platform, "/sign-in": platform, "/dashboard.json": platform },
  },
  build: {
    // Every file on its own: the content security policy of the edge allows no data: scripts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    // Written beside the pages that are served, which take its place in one step.
    outDir: "dist",
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
