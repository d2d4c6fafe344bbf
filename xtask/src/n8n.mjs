// Imports the workflows of a folder into n8n, runs each of them twice against the program with a demo world, and compares the
// ledger of that world. Arguments: the program, the folder with n8n, the folder with the workflows, a folder to work in.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const [program, n8nFolder, workflows, work] = process.argv.slice(2);
const MAIN = "http://127.0.0.1:5099";
const CONTROL = "http://127.0.0.1:5098";
const KEY = "swb_" + "0".repeat(43);
const LIMIT = 180_000;

// Each effect that a workflow has, however often it runs.
const EXPECTED = {
  switchboardSend: { "messages.sendMessage": ["Your order 7 is ready."] },
  switchboardChat: { "channels.createChannel": 1, "messages.sendMessage": ["Your order is here."], "messages.sendMedia": 1 },
  switchboardOldPorts: { "channels.createChannel": 1, "messages.sendMessage": ["Your order is here."], "messages.sendMedia": 1 },
};

const env = {
  ...process.env,
  N8N_USER_FOLDER: work,
  N8N_EXPRESSION_ENGINE: "legacy",
  N8N_RUNNERS_ENABLED: "false",
  N8N_DIAGNOSTICS_ENABLED: "false",
  N8N_VERSION_NOTIFICATIONS_ENABLED: "false",
  N8N_LISTEN_ADDRESS: "127.0.0.1",
};

let failures = 0;

function fail(text) {
  console.error(`error: ${text}`);
  failures += 1;
}

function n8n(...args) {
  const child = spawn(process.execPath, [path.join(n8nFolder, "node_modules/n8n/bin/n8n"), ...args], {
    env, timeout: LIMIT, stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (output += piece));
  return new Promise((done) => child.on("close", (code) => done({ good: code === 0, output })));
}

async function until(what, check) {
  const end = Date.now() + LIMIT;
  while (Date.now() < end) {
    if (await check().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`waited in vain until ${what}`);
}

const ledger = async () => (await (await fetch(`${CONTROL}/ledger`)).json()).items;

// The old ports fetch files by address; this one is on this machine.
const files = http.createServer((_, answer) => answer.end("A receipt"));
await new Promise((listening) => files.listen(0, "127.0.0.1", listening));
const receipt = `http://127.0.0.1:${files.address().port}/receipt.txt`;

const settings = path.join(work, "switchboard.toml");
fs.writeFileSync(settings, '[media]\nallow_private = ["127.0.0.0/8"]\n');
const running = spawn(program, ["up", "--sandbox", "--config", settings], {
  env: { ...process.env, SWITCHBOARD_BOOTSTRAP_KEY: KEY }, stdio: ["ignore", "ignore", "inherit"],
});
try {
  await until("the program is ready", async () => (await fetch(`${MAIN}/health/ready`)).ok);
  const credentials = path.join(work, "credentials.json");
  fs.writeFileSync(credentials, JSON.stringify([
    { id: "switchboard", name: "Switchboard", type: "httpHeaderAuth", data: { name: "X-API-Key", value: KEY } },
  ]));
  const imported = await n8n("import:credentials", `--input=${credentials}`);
  if (!imported.good) throw new Error(imported.output);
  for (const file of fs.readdirSync(workflows).filter((name) => name.endsWith(".json")).sort()) {
    const text = fs.readFileSync(path.join(workflows, file), "utf8").replaceAll("https://example.com/receipt.txt", receipt);
    const copy = path.join(work, file);
    fs.writeFileSync(copy, text);
    const { id } = JSON.parse(text);
    const taken = await n8n("import:workflow", `--input=${copy}`);
    if (!taken.good) throw new Error(`${file}: ${taken.output}`);
    const [before, failed] = [(await ledger()).length, failures];
    for (const round of [1, 2]) {
      const { good, output } = await n8n("execute", `--id=${id}`);
      if (!good || !output.includes("Execution was successful")) fail(`${file}, run ${round}: ${output.slice(-1500)}`);
    }
    const effects = (await ledger()).slice(before);
    for (const [method, expected] of Object.entries(EXPECTED[id] ?? {})) {
      const found = effects.filter((effect) => effect.method === method);
      const right = Array.isArray(expected)
        ? JSON.stringify(found.map((effect) => effect.text)) === JSON.stringify(expected)
        : found.length === expected;
      if (!right) fail(`${file}: ${method} is in the ledger as ${JSON.stringify(found)}`);
    }
    if (!(id in EXPECTED)) fail(`${file}: no one says what the workflow ${id} does`);
    console.log(`${failures > failed ? "✗" : "✓"} ${file}: ${effects.map((effect) => effect.method).join(", ")}`);
  }
} finally {
  running.kill("SIGTERM");
  files.close();
}
process.exitCode = failures > 0 ? 1 : 0;
