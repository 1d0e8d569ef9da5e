"""Makes the files beside this script that no encoder in Rust makes: run it where `av`, `numpy` and `pillow` are."""

import math
import pathlib

import av
import numpy
from PIL import Image

CANARY = "canary-7Q2xVb9Lw0"
TAGS = {"title": CANARY, "comment": CANARY, "location": "+47.3769+008.5417/", "artist": CANARY}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
HERE = pathlib.Path(__file__).parent / "files"


def tone(rate, seconds):
    """A tone: the first half soft, the second ten times louder."""
    at = numpy.arange(int(rate * seconds)) / rate
    wave = numpy.sin(2 * math.pi * 440 * at) * 0.5
    wave[: len(wave) // 2] *= 0.1
    return wave.astype(numpy.float32)


def put_sound(container, stream, rate, seconds):
    frame = av.AudioFrame.from_ndarray(tone(rate, seconds)[None, :], format="fltp", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)
    for part in resampler.resample(frame):
        for packet in stream.encode(part):
            container.mux(packet)
    for packet in stream.encode(None):
        container.mux(packet)


def open_tagged(name, kind, options):
    container = av.open(str(HERE / name), "w", format=kind, options=options)
    container.metadata.update(TAGS)
    return container


def voice(name, codec, kind, rate, options={}):
    container = open_tagged(name, kind, options)
    stream = container.add_stream(codec, rate=rate, layout="mono")
    stream.bit_rate = 16000
    put_sound(container, stream, rate, 2)
    container.close()


def video(name, options={}):
    container = open_tagged(name, "mp4", options)
    picture = container.add_stream("libx264", rate=10)
    picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
    picture.options = {"crf": "40", "g": "10", "bf": "0"}
    sound = container.add_stream("aac", rate=16000, layout="mono")
    sound.bit_rate = 16000
    for number in range(15):
        pixels = numpy.zeros((48, 64, 3), numpy.uint8)
        pixels[:, :, 0] = number * 15
        for packet in picture.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
            container.mux(packet)
    for packet in picture.encode(None):
        container.mux(packet)
    put_sound(container, sound, 16000, 1.5)
    container.close()


def picture():
    pixels = numpy.zeros((48, 64, 3), numpy.uint8)
    pixels[:, :, 0] = numpy.arange(64) * 4
    pixels[:, :, 1] = (numpy.arange(48) * 5)[:, None]
    return Image.fromarray(pixels)


HERE.mkdir(exist_ok=True)
voice("voice.opus", "libopus", "ogg", 48000)
voice("voice.m4a", "aac", "ipod", 16000)
voice("voice-fragmented.m4a", "aac", "mp4", 16000, FRAGMENTS)
video("video.mp4")
video("video-fragmented.mp4", FRAGMENTS)
video("video-faststart.mp4", {"movflags": "faststart"})
picture().save(HERE / "progressive.jpg", progressive=True, quality=85)
picture().convert("CMYK").save(HERE / "cmyk.jpg", quality=85)
picture().save(HERE / "lossy.webp", quality=80, method=6)
