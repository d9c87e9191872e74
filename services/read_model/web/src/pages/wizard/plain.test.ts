import { expect, it } from "vitest";
import { placeholdersOf, plain } from "./plain";

it("typographic characters become plain ones, and nothing else changes", () => {
  expect(plain("“Hi” – it’s…\u00a0ä 😀")).toBe('"Hi" - it\'s... ä 😀');
});

it("the names of placeholders are told once each", () => {
  expect(placeholdersOf("{{a}} {{ first name }} {{a}} {{}} {{b")).toEqual(["a", "first name"]);
});
