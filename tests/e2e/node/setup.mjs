// SPDX-License-Identifier: MIT
//
// What all tests share: a client of the gateway, knobs for the mock provider behind it, the mock's own pages.
//
// Environment (tests/e2e/test_node_sdk.py sets it): GATEWIRE_URL, CLOSED_URL with CLOSED_KEY (a gateway that wants a
// key), VENDORS_URL (a gateway with three vendors), MOCK_URL, TIME_SCALE (5 where the programs are built with a sanitizer).
import assert from "node:assert/strict";
import { Agent, request } from "node:http";

// Node 18 has File in node:buffer only, and the SDK looks for a global one.
globalThis.File ??= (await import("node:buffer")).File;
const { default: OpenAI } = await import("openai");

export { OpenAI };
export const MODEL = "mock-small";
export const HELLO = [{ role: "user", content: "Hello there!" }];
export const TIME_SCALE = Number(process.env.TIME_SCALE ?? 1);

export function env(name) {
    assert.ok(process.env[name], `${name} is not set: run these tests through tests/e2e/test_node_sdk.py`);
    return process.env[name];
}

/** An unmodified client; only the base URL (and what a test is about) differs from talking to OpenAI. */
export function makeClient(options = {}) {
    return new OpenAI({ baseURL: `${env("GATEWIRE_URL")}/v1`, apiKey: "sk-client", maxRetries: 0, ...options });
}

/** Request options whose headers tell the mock how to answer: knobs({ status: 429, retry_after: 3 }). */
export function knobs(settings, options = {}) {
    const headers = {};
    for (const [name, value] of Object.entries(settings)) {
        headers[`x-mock-${name.replaceAll("_", "-")}`] = String(value);
    }
    return { ...options, headers };
}

const agent = new Agent({ keepAlive: false });

/** One of the mock's own pages; not with fetch, so that nothing of the SDK's connections is shared. */
export function mockPage(path, method = "GET") {
    return new Promise((resolve, reject) => {
        const asked = request(`${env("MOCK_URL")}/mock/${path}`, { method, agent }, (answer) => {
            const parts = [];
            answer.on("data", (part) => parts.push(part));
            answer.on("end", () => resolve(Buffer.concat(parts)));
            answer.on("error", reject);
        });
        asked.on("error", reject);
        asked.end();
    });
}

export async function mockJson(path) {
    return JSON.parse(await mockPage(path));
}

/** Polls until the condition holds; fails when it does not within the time. */
export async function waitUntil(condition, limitMs) {
    const deadline = performance.now() + limitMs;
    while (!(await condition())) {
        assert.ok(performance.now() < deadline, `did not happen within ${limitMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

/** Bytes that no text encoding would survive. */
export function everyByte(length) {
    return Buffer.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
}
