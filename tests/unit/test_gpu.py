"""`judge doctor --gpu`: what it reads, and whether a model is said to fit."""

from __future__ import annotations

import json
import sys

import pytest

from judge.study import load_study
from judge.workflow import gpu
from judge.workflow.gpu import Device, examine_gpu, read_devices

H100 = Device("NVIDIA H100 80GB HBM3", 79.6, 79.2)


def test_devices_are_read_from_what_nvidia_smi_says():
    said = "NVIDIA H100 80GB HBM3, 81559, 81008\nNVIDIA A10, 23028, 100\n"
    assert [(one.name, round(one.total_gib), round(one.free_gib)) for one in read_devices(said)] == [
        ("NVIDIA H100 80GB HBM3", 80, 79),
        ("NVIDIA A10", 22, 0),
    ]


@pytest.fixture
def study(tmp_path):
    """A study whose model's weights are as large as a sparse file says."""

    def write(gib, source="transformers", **config):
        model = tmp_path / "model"
        model.mkdir(exist_ok=True)
        with (model / "model.safetensors").open("wb") as file:
            file.truncate(int(gib * 2**30))
        shape = {"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_size": 4096}
        (model / "config.json").write_text(json.dumps(shape | {"max_position_embeddings": 131072}))
        (tmp_path / "test.jsonl").write_text('{"id": "a", "prompt": "Hi"}\n')
        arms = {"base": {"baseline": True, source: "model"}, "tuned": {source: "model", "decoding": {"seed": 1}}}
        (tmp_path / "study.yaml").write_text(
            json.dumps({"name": "s", "test": "test.jsonl", "primary": "win_rate", "arms": arms, **config})
        )
        return load_study(tmp_path / "study.yaml")

    return write


def said(study, monkeypatch, *devices):
    monkeypatch.setattr(gpu, "devices", lambda: list(devices))
    return {finding.what: finding for finding in examine_gpu(study)}


def test_a_model_that_fits_is_said_to_fit_once_for_all_its_arms(study, monkeypatch):
    findings = said(study(15), monkeypatch, H100)
    assert set(findings) == {"gpu", "arms.base"}
    assert findings["arms.base"].ok
    assert "15.0 GiB of weights, 125.0 MiB of cache for 1,000 tokens; fits on one NVIDIA H100" in findings["arms.base"].text


def test_a_large_model_is_told_how_many_devices_it_needs(study, monkeypatch):
    assert "tensor_parallel_size: 2" in said(study(120), monkeypatch, H100, H100)["arms.base"].text
    alone = said(study(120), monkeypatch, H100)["arms.base"]
    assert not alone.ok
    assert "2 such devices" in alone.remedy


def test_a_model_without_room_for_its_context_is_told_a_shorter_one(study, monkeypatch):
    assert "max_model_len" in said(study(65), monkeypatch, H100)["arms.base"].text


def test_memory_that_others_hold_is_named(study, monkeypatch):
    finding = said(study(15), monkeypatch, Device("NVIDIA H100", 79.6, 4.0))["arms.base"]
    assert not finding.ok
    assert "4 GiB are free" in finding.text


def test_no_device_is_said_with_what_can_be_done(study, monkeypatch):
    findings = said(study(1), monkeypatch)
    assert not findings["gpu"].ok
    assert "CPU" in findings["gpu"].remedy
    assert "on the CPU" in findings["arms.base"].text


def test_an_interpreter_without_vllm_is_named(study, monkeypatch):
    finding = said(study(1, "vllm", vllm={"python": sys.executable}), monkeypatch, H100)["vllm"]
    assert not finding.ok
    assert sys.executable in finding.text


def test_lines_that_say_no_memory_are_passed_over():
    said = "No devices were found\nNVIDIA GB10, [N/A], [N/A]\nNVIDIA H100, 81559, 80000\n"
    assert [device.name for device in read_devices(said)] == ["NVIDIA H100"]
