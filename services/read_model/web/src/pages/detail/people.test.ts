import { expect, test } from "vitest";
import type { Campaign } from "@/api/types";
import { offered, phonesIn } from "./people";

const campaign = (facts: object) => ({ contacts: { accepted: 1 }, ...facts }) as Campaign;
const voice = (facts: object) => campaign({ channel: "voice", run: 1, run_number: 1, ...facts });
const sms = (facts: object) => campaign({ channel: "sms", mode: "on_demand", ...facts });

test("contacts are added to a campaign that is always on, while it runs", () => {
  expect(offered(voice({ status: "running", always_on: true }))).toEqual(["add", "exclude"]);
  expect(offered(voice({ status: "paused", always_on: true }))).toEqual(["exclude"]);
  expect(offered(voice({ status: "running", always_on: false }))).toEqual(["exclude"]);
});

test("nothing is offered where nothing would be taken", () => {
  expect(offered(voice({ status: "completed" }))).toEqual([]);
  expect(offered(voice({ status: "running", run: 1, run_number: 2 }))).toEqual([]);
  expect(offered(voice({ status: "draft", contacts: null }))).toEqual([]);
  expect(offered(sms({ status: "sending" }))).toEqual([]);
  expect(offered(sms({ status: "new", mode: "trigger" }))).toEqual([]);
});

test("an SMS campaign leaves people out before it is approved, and takes pushes while it sends", () => {
  expect(offered(sms({ status: "new" }))).toEqual(["exclude"]);
  expect(offered(sms({ status: "sending", mode: "trigger" }))).toEqual(["push"]);
});

test("numbers stand in lines or between commas", () => {
  expect(phonesIn(" +491511 \n\n+49 1512;0151 3 , ")).toEqual(["+491511", "+49 1512", "0151 3"]);
});
