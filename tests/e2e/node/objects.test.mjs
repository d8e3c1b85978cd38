// SPDX-License-Identifier: MIT
// Everything that is not chat: embeddings, files, audio, images, models.
import assert from "node:assert/strict";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { MODEL, everyByte, makeClient, mockJson, mockPage } from "./setup.mjs";

const { toFile } = await import("openai");
const client = makeClient();

/** The parts of the form the mock saw last, in order, by name. */
function formNames(body) {
    return [...String(body.toString("latin1")).matchAll(/content-disposition: form-data; name="([^"]+)"/gi)].map((m) => m[1]);
}

test("models", async () => {
    const names = [];
    for await (const model of client.models.list()) {
        names.push(model.id);
    }
    assert.ok(names.includes(MODEL) && names.includes("gatewire/demo"));
    assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
    await assert.rejects(client.models.retrieve("no-such-model"), { status: 404, code: "model_not_found" });
});

test("embeddings in both encodings are the same numbers", async () => {
    // Without encoding_format the SDK asks for base64 and decodes it itself.
    const packed = await client.embeddings.create({ model: MODEL, input: ["a", "b"] });
    const plain = await client.embeddings.create({ model: MODEL, input: ["a", "b"], encoding_format: "float" });
    assert.deepEqual(packed.data.map((item) => item.index), [0, 1]);
    assert.ok(packed.data[0].embedding.length > 0);
    packed.data[0].embedding.forEach((value, at) => {
        assert.ok(Math.abs(value - plain.data[0].embedding[at]) < 1e-6);
    });
});

test("a file up and down, byte for byte, the file before the other fields", async () => {
    const content = everyByte(300_000);
    const made = await client.files.create({ file: await toFile(content, "all.bin"), purpose: "user_data" });
    assert.deepEqual(formNames(await mockPage("last/body")), ["file", "purpose"]);
    assert.equal(made.bytes, content.length);
    assert.equal((await client.files.retrieve(made.id)).filename, "all.bin");
    const down = Buffer.from(await (await client.files.content(made.id)).arrayBuffer());
    assert.ok(down.equals(content));
    const listed = [];
    for await (const file of client.files.list()) {
        listed.push(file.id);
    }
    assert.ok(listed.includes(made.id));
    assert.equal((await client.files.delete(made.id)).deleted, true);
});

test("a file of 12 MB from disk as a stream", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatewire-node-"));
    try {
        const path = join(folder, "big.bin");
        writeFileSync(path, everyByte(12 * 1024 * 1024));
        const made = await client.files.create({ file: createReadStream(path), purpose: "user_data" });
        assert.equal(made.bytes, 12 * 1024 * 1024);
        await client.files.delete(made.id);
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test("audio transcription with the file before the model", async () => {
    const file = await toFile(everyByte(200_000), "speech.wav", { type: "audio/wav" });
    const answer = await client.audio.transcriptions.create({ file, model: MODEL });
    assert.ok(answer.text.length > 0);
    assert.deepEqual(formNames(await mockPage("last/body")), ["file", "model"]);
    assert.equal((await mockJson("last")).target, "/v1/audio/transcriptions");
});

test("audio transcription with the model first, streamed", async () => {
    const file = await toFile(everyByte(5_000), "speech.wav", { type: "audio/wav" });
    const stream = await client.audio.transcriptions.create({ model: MODEL, file, stream: true });
    let last;
    for await (const event of stream) {
        last = event;
    }
    assert.equal(last.type, "transcript.text.done");
    assert.ok(last.text.length > 0);
});

test("an alias in a form becomes the provider's model", async () => {
    const file = await toFile(everyByte(1_000), "speech.wav");
    await client.audio.transcriptions.create({ file, model: "my-ears" });
    assert.match(String(await mockPage("last/body")), /name="model"\r\n\r\nmock-large\r\n/);
});

test("speech", async () => {
    const answer = await client.audio.speech.create({ model: MODEL, voice: "alloy", input: "Hello" });
    assert.match(answer.headers.get("content-type"), /^audio\//);
    assert.ok((await answer.arrayBuffer()).byteLength > 100);
});

test("images", async () => {
    const answer = await client.images.generate({ model: MODEL, prompt: "a cat" });
    assert.ok(Buffer.from(answer.data[0].b64_json, "base64").length > 0);
});

test("image edit: a form with a picture", async () => {
    const image = await toFile(everyByte(2_000), "cat.png", { type: "image/png" });
    const answer = await client.images.edit({ image, prompt: "a hat", model: MODEL });
    assert.ok(answer.data.length > 0);
});

test("moderations, batches, vector stores, fine-tuning", async () => {
    assert.equal((await client.moderations.create({ model: MODEL, input: "hi" })).results.length, 1);
    const input = await client.files.create({ file: await toFile(Buffer.from("{}\n"), "b.jsonl"), purpose: "batch" });
    const batch = await client.batches.create({
        input_file_id: input.id,
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
    });
    assert.equal((await client.batches.cancel(batch.id)).id, batch.id);
    assert.ok((await client.vectorStores.create({ name: "mine" })).id);
    assert.ok(await client.fineTuning.jobs.list());
});

test("legacy completions", async () => {
    const answer = await client.completions.create({ model: MODEL, prompt: "Once" });
    assert.ok(answer.choices[0].text.length > 0);
});
