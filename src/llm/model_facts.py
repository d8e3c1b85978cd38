# SPDX-License-Identifier: MIT
"""Turns model_facts.json into a table in C: model_facts.py INPUT OUTPUT. Used by meson.build."""

import calendar
import json
import sys
import time
from decimal import Decimal

NANO_PER_USD = 10**9
PRICES = ["input", "output", "cached_input", "cache_write", "cache_write_1h"]
ABILITIES = ["image", "audio", "video", "pdf", "embedding", "tools", "reasoning", "cache"]
PREMIUMS = {None: "NEVER", "regional": "REGIONAL", "always": "ALWAYS"}


def price(text):
    """USD per million tokens, as a decimal text, in nano-USD; must be exact."""
    if text is None:
        return "GW_PRICE_UNKNOWN"
    nano = Decimal(text) * NANO_PER_USD
    if nano != int(nano) or nano < 0:
        raise ValueError(f"no whole number of nano-USD: {text}")
    return str(int(nano))


def prices(usd):
    return "{" + ", ".join(f".{key} = {price(usd.get(key))}" for key in PRICES) + "}"


def text(value):
    return f"GW_STR_INIT({json.dumps(value)})"


def row(model):
    unknown = set(model) - {
        "provider", "model", "context", "max_output", "can", "usd", "usd_long", "usd_next", "premium", "read", "unsure",
    }
    if unknown:
        raise ValueError(f"{model['model']}: unknown members {unknown}")
    abilities = sum(1 << ABILITIES.index(name) for name in model["can"])
    later = model.get("usd_next", {})
    day = calendar.timegm(time.strptime(later["from"], "%Y-%m-%d")) if later else 0
    return (
        f"    {{.provider = {text(model['provider'])}, .model = {text(model['model'])},\n"
        f"     .has_premium = {str(model.get('premium', False)).lower()},\n"
        f"     .facts = {{.context_tokens = {model.get('context', 0)},\n"
        f"               .max_output_tokens = {model.get('max_output', 0)},\n"
        f"               .abilities = {abilities},\n"
        f"               .prices = {prices(model['usd'])},\n"
        f"               .long_input_tokens = {model.get('usd_long', {}).get('above', 0)},\n"
        f"               .long_prices = {prices(model.get('usd_long', {}))},\n"
        f"               .next_from_s = {day},\n"
        f"               .next_prices = {prices(later)}}}}},\n"
    )


def rule(entry):
    return (
        f"    {{.provider = {text(entry['provider'])}, .use = {text(entry['use'])},\n"
        f"     .strip = {text(entry.get('strip', ''))}, .premium = GW_PREMIUM_{PREMIUMS[entry.get('premium')]}}},\n"
    )


def main():
    source, target = sys.argv[1:3]
    with open(source, encoding="utf-8") as file:
        facts = json.load(file)
    names = [(model["provider"], model["model"]) for model in facts["models"]]
    if len(set(names)) != len(names):
        raise ValueError("a model is there twice")
    with open(target, "w", encoding="ascii") as file:
        file.write('/* Made from model_facts.json by model_facts.py. */\n#include "llm/model_facts_int.h"\n\n')
        file.write("const struct gw_model_row gw_model_rows[] = {\n")
        file.writelines(row(model) for model in facts["models"])
        file.write(f"}};\nconst size_t gw_model_row_count = {len(names)};\n\n")
        file.write("const struct gw_model_rule gw_model_rules[] = {\n")
        file.writelines(rule(entry) for entry in facts["rules"])
        file.write(f"}};\nconst size_t gw_model_rule_count = {len(facts['rules'])};\n")


main()
