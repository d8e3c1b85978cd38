// SPDX-License-Identifier: MIT
// Errors, retries, timeouts, cancellation.
import assert from "node:assert/strict";
import { test } from "node:test";

import { HELLO, MODEL, OpenAI, TIME_SCALE, env, knobs, makeClient, mockJson, mockPage, waitUntil } from "./setup.mjs";

const client = makeClient();
const CHAT = { model: MODEL, messages: HELLO };
const STREAM = { ...CHAT, stream: true };

test("an unknown model is 404 and names the close ones", async () => {
    await assert.rejects(client.chat.completions.create({ ...CHAT, model: "mock-smal" }), (error) => {
        assert.ok(error instanceof OpenAI.NotFoundError);
        assert.equal(error.code, "model_not_found");
        assert.equal(error.param, "model");
        assert.match(error.message, /mock-small/);
        assert.ok(error.requestID);
        return true;
    });
});

test("a request without messages of the right type is 400 and names the parameter", async () => {
    await assert.rejects(client.chat.completions.create({ model: MODEL, messages: "hi" }), {
        status: 400,
        code: "invalid_type",
        param: "messages",
    });
});

for (const [status, kind] of Object.entries({
    400: "BadRequestError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "InternalServerError",
})) {
    test(`status ${status} of the provider is ${kind}`, async () => {
        await assert.rejects(client.chat.completions.create(CHAT, knobs({ status, error_message: "so says the mock" })), (error) => {
            assert.ok(error instanceof OpenAI[kind], error);
            assert.equal(error.status, Number(status));
            assert.match(error.message, /so says the mock/);
            return true;
        });
    });
}

for (const status of [401, 403]) {
    test(`status ${status} of the provider is no word about the client's key`, async () => {
        await assert.rejects(client.chat.completions.create(CHAT, knobs({ status, error_message: "so says the mock" })), (error) => {
            assert.ok(error instanceof OpenAI.InternalServerError, error);
            assert.equal(error.status, 502);
            assert.equal(error.code, "upstream_credential_refused");
            assert.doesNotMatch(error.message, /so says the mock/);
            return true;
        });
    });
}

test("429 comes with the provider's retry-after", async () => {
    await assert.rejects(client.chat.completions.create(CHAT, knobs({ status: 429, retry_after: 7 })), (error) => {
        assert.equal(error.headers.get("retry-after"), "7");
        return true;
    });
});

test("401 with a wrong key, none with the right one", async () => {
    const closed = `${env("CLOSED_URL")}/v1`;
    const wrong = makeClient({ baseURL: closed, apiKey: "sk-wrong" });
    await assert.rejects(wrong.chat.completions.create(CHAT), (error) => {
        assert.ok(error instanceof OpenAI.AuthenticationError);
        assert.equal(error.code, "invalid_api_key");
        return true;
    });
    const right = makeClient({ baseURL: closed, apiKey: env("CLOSED_KEY") });
    assert.ok((await right.chat.completions.create(CHAT)).choices.length);
});

test("the SDK retries a failure and succeeds", async () => {
    await mockPage("reset", "POST");
    const patient = makeClient({ maxRetries: 2 });
    const answer = await patient.chat.completions.create(CHAT, knobs({ status: 500, times: 1, key: "node-retry" }));
    assert.ok(answer.choices[0].message.content);
    assert.equal((await mockJson("stats")).requests, 2);
});

test("the SDK waits as long as retry-after says", async () => {
    const patient = makeClient({ maxRetries: 1 });
    const begun = performance.now();
    await patient.chat.completions.create(CHAT, knobs({ status: 429, retry_after: 1, times: 1, key: "node-after" }));
    assert.ok(performance.now() - begun >= 990);
});

test("a broken provider is 502 with a reason, and the SDK retries it", async () => {
    await assert.rejects(client.chat.completions.create(CHAT, knobs({ fault: "garbage" })), (error) => {
        assert.equal(error.status, 502);
        assert.equal(error.code, "upstream_error");
        return true;
    });
    const patient = makeClient({ maxRetries: 1 });
    const settings = knobs({ fault: "reset", times: 1, key: "node-reset" });
    assert.ok((await patient.chat.completions.create(CHAT, settings)).choices.length);
});

test("a timeout of the SDK ends the provider's work and leaves the gateway well", async () => {
    await mockPage("reset", "POST");
    const slow = knobs({ latency: 60_000 }, { timeout: 300 });
    await assert.rejects(client.chat.completions.create(CHAT, slow), OpenAI.APIConnectionTimeoutError);
    await waitUntil(async () => (await mockJson("stats")).aborted === 1, 1000 * TIME_SCALE);
    assert.ok((await client.chat.completions.create(CHAT)).choices.length);
});

test("abort in mid-stream reaches the provider within a second", async () => {
    await mockPage("reset", "POST");
    const stream = await client.chat.completions.create(STREAM, knobs({ chunks: 100_000, tps: 50 }));
    let seen = 0;
    for await (const chunk of stream) {
        seen += chunk.choices.length;
        if (seen >= 5) {
            break; // the SDK closes the connection
        }
    }
    await waitUntil(async () => (await mockJson("stats")).aborted === 1, 1000 * TIME_SCALE);
    const [abort] = (await mockJson("stats")).aborts;
    assert.equal(abort.stage, "body");
    assert.ok(abort.chunks > 0 && abort.chunks < 1000, JSON.stringify(abort));
});

test("an abort signal before the first byte reaches the provider too", async () => {
    await mockPage("reset", "POST");
    const controller = new AbortController();
    const asked = client.chat.completions.create(CHAT, knobs({ latency: 60_000 }, { signal: controller.signal }));
    const refused = assert.rejects(asked, OpenAI.APIUserAbortError);
    await waitUntil(async () => (await mockJson("stats")).requests === 1, 5000 * TIME_SCALE);
    controller.abort();
    await refused;
    await waitUntil(async () => (await mockJson("stats")).aborted === 1, 1000 * TIME_SCALE);
});

test("an error of the provider inside a stream is an error of the stream", async () => {
    const stream = await client.chat.completions.create(STREAM, knobs({ fault: "error-mid-stream", after: 3 }));
    await assert.rejects(async () => {
        for await (const chunk of stream) {
            assert.ok(chunk);
        }
    }, OpenAI.APIError);
});

for (const fault of ["reset-after-chunks", "half-chunk", "close-early"]) {
    test(`a stream that ends with ${fault} is an error, not a short answer`, async () => {
        const stream = await client.chat.completions.create(STREAM, knobs({ fault, after: 3 }));
        const chunks = [];
        await assert.rejects(async () => {
            for await (const chunk of stream) {
                chunks.push(chunk);
            }
        }, /provider/);
        assert.ok(chunks.length >= 1);
    });
}

test("a stream without [DONE] is complete when it told its finish reason", async () => {
    const stream = await client.chat.completions.create(STREAM, knobs({ fault: "no-done" }));
    let last;
    for await (const chunk of stream) {
        last = chunk;
    }
    assert.equal(last.choices[0].finish_reason, "stop");
});

test("the connection goes on after errors", async () => {
    for (let round = 0; round < 5; round += 1) {
        await assert.rejects(client.chat.completions.create(CHAT, knobs({ status: 500 })), { status: 500 });
        assert.ok((await client.chat.completions.create(CHAT)).choices.length);
    }
});
