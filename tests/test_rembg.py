"""rembg's networks behind our protocol: tiny real ones, opened by rembg and compared with what it makes of them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import rembg
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException
from PIL import Image
from rembg.sessions import sessions_class

from gpu_worker.mattes.protocol import Pixels
from gpu_worker.mattes.registry import Mattes
from gpu_worker.mattes.rembg import CUDA, FAMILIES, Rembg
from popcon.errors import ModelMissing, permanent_types
from popcon.mattes import MatteModel, mattes
from popcon.weights import found, place
from tests.drawn import GREY, Floats, flat, outlined, picture
from tests.networks import lay, loaded

NETWORKS = [each for each in mattes() if each.session]
# They want clicks, tell clothes apart, or name no weights of their own.
LEFT_OUT = {"sam", "u2net_cloth_seg", "u2net_custom", "dis_custom", "ben_custom"}
# One level of rounding, stretched by as much as the answer's range was narrower than all levels.
ROUNDING = 3
# Floating point adds up in another order when pictures come together.
TOGETHER = 1


@pytest.fixture(autouse=True)
def _home(rembg_home: object) -> None:
    pass


def frames(count: int, side: int = 96) -> Pixels:
    return np.stack([picture((flat, outlined)[at % 2](side).over(GREY), noise=3, seed=at) for at in range(count)])


def answered(network: Rembg, shown: Pixels) -> Pixels:
    """Pictures with what the network says of them together."""
    answers = network.run([network.prepared(each) for each in shown], [None] * len(shown))
    return np.stack([network.matted(*each) for each in zip(shown, answers, strict=True)])


def test_the_catalogue_has_every_local_session_that_needs_no_prompt() -> None:
    local = {each.name() for each in sessions_class if each.is_local()}

    assert {each.session for each in NETWORKS} == local - LEFT_OUT


@pytest.mark.parametrize("model", NETWORKS, ids=lambda model: model.name)
def test_the_catalogue_says_what_rembg_would_fetch(model: MatteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []
    monkeypatch.setattr("pooch.retrieve", lambda url, known, **where: fetched.append((url, known, where)))
    session = next(each for each in sessions_class if each.name() == model.session)
    if model.url is None:  # it is converted from another one's
        lay("rembg:birefnet-general")
        assert session.download_models() == str(place(model))
        return

    session.download_models()

    [(url, checksum, where)] = fetched
    assert (url, checksum) == (model.url, model.checksum)
    assert str(place(model)) == f"{where['path']}/{where['fname']}"


@pytest.mark.parametrize("home", ["REMBG_HOME", "U2NET_HOME", "XDG_DATA_HOME"])
def test_weights_are_found_where_rembg_finds_them(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REMBG_HOME")
    monkeypatch.setenv(home, str(tmp_path / "chosen"))
    model = lay("rembg:u2netp")
    session = next(each for each in sessions_class if each.name() == model.session)

    assert session.resolve_existing("u2netp.onnx") == str(found(model))
    older = Path(session.legacy_home())
    older.mkdir(parents=True, exist_ok=True)
    place(model).rename(older / "u2netp.onnx")
    assert session.resolve_existing("u2netp.onnx") == str(found(model))


@pytest.mark.parametrize("model", NETWORKS, ids=lambda model: model.name)
def test_each_network_gets_and_answers_what_rembg_means(model: MatteModel) -> None:
    """At the network's own size, with every level in the picture, rembg's arithmetic differs by its stretch alone."""
    lay(model.name)
    side = next(family.side for start, family in FAMILIES.items() if str(model.session).startswith(start))
    shown = picture(outlined(96).over(GREY), noise=3)
    shown = np.asarray(cv2.resize(shown, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)
    shown[0, 0], shown[0, 1] = 0, 255

    ours = answered(Rembg(model), shown[None])[0, ..., 3].astype(np.float32)

    [theirs] = rembg.new_session(model.session, providers=["CPUExecutionProvider"]).predict(Image.fromarray(shown))
    stretched = (ours - ours.min()) / (ours.max() - ours.min()) * 255
    assert ours.max() - ours.min() > 100
    assert np.abs(stretched - np.asarray(theirs, np.float32)).max() <= ROUNDING


@pytest.mark.parametrize("batch", [None, 1, 2, 4])
@pytest.mark.parametrize("name", ["rembg:u2netp", "rembg:birefnet-general-lite"])
def test_pictures_together_get_what_each_gets_alone(name: str, batch: int | None) -> None:
    network = loaded(name, batch)
    shown = frames(3)

    together = answered(network, shown)

    alone = np.concatenate([answered(network, each[None]) for each in shown])
    assert together.shape == (3, 96, 96, 4)
    assert np.abs(together.astype(int) - alone).max() <= TOGETHER
    assert np.abs(together[0].astype(int) - together[1]).max() > 10 * TOGETHER
    assert not together[..., :3][together[..., 3] == 0].any()


@pytest.mark.parametrize(("batch", "batches"), [(None, [3]), (1, [1, 1, 1]), (2, [2, 2])])
def test_pictures_go_together_where_the_file_lets_them(
    batch: int | None, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = loaded("rembg:u2netp", batch)
    run = network._session.run
    seen: list[int] = []

    def counted(names: list[str], given: dict[str, Floats]) -> list[Floats]:
        seen.extend(len(each) for each in given.values())
        return list(run(names, given))

    monkeypatch.setattr(network._session, "run", counted)
    answered(network, frames(3))
    assert seen == batches
    assert network.joins == (batch != 1)


def test_one_bright_pixel_changes_no_other_place() -> None:
    """rembg's own arithmetic divides by the brightest pixel of each picture: an animation then flickers."""
    network = loaded("rembg:u2netp")
    dark = frames(1) // 2
    spark = dark.copy()
    spark[0, 0, 0] = 255
    far = np.s_[0, 8:, 8:, 3]

    assert (answered(network, dark)[far] == answered(network, spark)[far]).all()
    theirs = rembg.new_session("u2netp", providers=["CPUExecutionProvider"])
    plain, sparked = (np.asarray(theirs.predict(Image.fromarray(each[0]))[0], int) for each in (dark, spark))
    assert np.abs(plain - sparked)[8:, 8:].max() > 10


def test_names_are_safe_in_keys_and_say_model_and_version() -> None:
    assert loaded("rembg:isnet-anime").recipe == f"rembg-isnet-anime-{Rembg.version}"


def test_missing_weights_say_the_command_and_are_not_retried() -> None:
    with pytest.raises(ModelMissing, match=r"popcon models pull rembg:isnet-anime.*176 MB"):
        Mattes().get("rembg:isnet-anime")
    assert ModelMissing.__name__ in permanent_types()
    lay("rembg:isnet-anime")
    assert Mattes().get("rembg:isnet-anime").name == "rembg:isnet-anime"


def newer(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def torn(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = b"half"


def unknown(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Sorcery"


def unnamed(model: onnx.ModelProto) -> None:
    model.graph.node[1].input[0] = "nowhere"


@pytest.mark.parametrize("broken", [newer, torn, unknown, unnamed])
def test_a_network_that_cannot_be_opened_says_the_commands_and_is_not_retried(
    broken: Callable[[onnx.ModelProto], None],
) -> None:
    file = place(lay("rembg:u2netp"))
    network = onnx.load(file)
    broken(network)
    file.write_bytes(network.SerializeToString())

    with pytest.raises(ModelMissing, match=rf"{file} .*models check rembg:u2netp.*models pull rembg:u2netp"):
        Mattes().get("rembg:u2netp")


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_replaced_without_a_restart(kept: float) -> None:
    file = place(lay("rembg:u2netp"))
    whole = file.read_bytes()
    file.write_bytes(whole[: round(kept * len(whole))])
    models = Mattes()
    with pytest.raises(ModelMissing, match="models pull rembg:u2netp"):
        models.get("rembg:u2netp")

    file.write_bytes(whole)

    assert models.get("rembg:u2netp").name == "rembg:u2netp"


@pytest.mark.parametrize(
    "error",
    [
        Fail("[ONNXRuntimeError] : 1 : FAIL : Load model from u2netp.onnx failed:std::bad_alloc"),
        Fail("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 46: all CUDA-capable devices are busy ; GPU=0"),
        RuntimeException("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : BFCArena: Failed to allocate memory"),
    ],
)
def test_what_the_machine_cannot_do_just_now_does_not_speak_against_the_file(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    model = lay("rembg:u2netp")

    with pytest.raises(type(error)) as raised:
        Rembg(model)
    assert raised.value is error


@pytest.mark.skipif(torch.cuda.is_available(), reason="here the GPU is really used")
def test_a_gpu_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    assert loaded("rembg:u2netp").device == "cpu"
    assert not caplog.records
    if CUDA not in onnxruntime.get_available_providers():
        return
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    with pytest.warns(RuntimeWarning, match="running on CPU"):
        assert loaded("rembg:u2netp").device == "cpu"

    assert "rembg:u2netp runs on the CPU" in caplog.text
