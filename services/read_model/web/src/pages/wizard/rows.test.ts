import { describe, expect, it } from "vitest";
import { firstRows, readHead, variablesOf } from "./rows";

describe("the first rows of a table", () => {
  it("find the phone column by its name, else take the first", () => {
    expect(firstRows("name,MSISDN\nAda,+4915112000000\n", "a.csv")?.phone).toBe(1);
    expect(firstRows("name,tel\nAda,+4915112000000\n", "a.csv")?.phone).toBe(0);
  });

  it("tell commas, semicolons and tabs apart", () => {
    for (const delimiter of [",", ";", "\t"]) {
      const text = `phone${delimiter}name\r\n+49${delimiter}A`;
      expect(firstRows(text, "a.csv")).toMatchObject({ columns: ["phone", "name"] });
    }
    expect(firstRows('"a,b";phone\n1;2\n', "a.csv")?.columns).toEqual(["a,b", "phone"]);
  });

  it("read quoted cells, with quotes, delimiters and line ends in them", () => {
    const found = firstRows('phone,note\n+49,"one, ""two""\nthree"\n', "a.csv");
    expect(found?.rows).toEqual([["+49", 'one, "two"\nthree']]);
  });

  it("skip blank lines and stop after some", () => {
    const text = `phone\n\n${"+49\n\n".repeat(9)}`;
    expect(firstRows(text, "a.csv", 3)?.rows).toHaveLength(3);
  });

  it("take off what a spreadsheet puts before a cell", () => {
    const found = firstRows("phone,name\n'+4915112000000,'t Hart\n=\"+49\",x\n", "a.csv");
    expect(found?.rows).toEqual([
      ["+4915112000000", "'t Hart"],
      ["+49", "x"],
    ]);
  });

  it("are one number per line in a list, and nothing in an empty file", () => {
    expect(firstRows("+49 1\n\n+49 2\n", "a.txt")).toMatchObject({
      isList: true,
      rows: [["+49 1"], ["+49 2"]],
    });
    expect(firstRows(" \n", "a.csv")).toBeNull();
  });

  it("give the variables of a message", () => {
    const found = firstRows("phone,name,\n+49,Ada,x\n", "a.csv");
    expect(found && variablesOf(found)).toEqual({ name: "Ada" });
  });
});

describe("the beginning of a file", () => {
  it("ends at a whole line, and in no half of a character", async () => {
    const head = await readHead(new File(["phone\n", "ä".repeat(40_000), "\n"], "a.csv"));
    expect(head).toBe("phone\n");
    expect(await readHead(new File(["\ufeffphone\nx"], "a.csv"))).toBe("phone\nx");
  });

  it("must be UTF-8 text", async () => {
    const latin = new File([new Uint8Array([0x66, 0xfc, 0x72])], "a.csv");
    await expect(readHead(latin)).rejects.toThrow(TypeError);
    await expect(readHead(new File(["a\0b"], "a.csv"))).rejects.toThrow(TypeError);
  });
});
