// A file as the disk of a client: all of a text, or none of it.

import fs from "node:fs";
import path from "node:path";
import type { Disk } from "../client/store.js";

export function file(name: string): Disk {
  fs.mkdirSync(path.dirname(name), { recursive: true });
  return {
    load: () => (fs.existsSync(name) ? fs.readFileSync(name, "utf8") : undefined),
    save: (text) => {
      fs.writeFileSync(`${name}.new`, text, { flush: true });
      fs.renameSync(`${name}.new`, name);
    },
  };
}
