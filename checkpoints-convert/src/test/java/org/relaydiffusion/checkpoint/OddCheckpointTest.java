// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;

/**
 * Checkpoints of people's own programs (resources odd, written by make.py there): what is beside
 * the networks may be anything, and is shown; within a network it is refused by name.
 */
class OddCheckpointTest {
  @TempDir Path folder;

  private static Path odd(String name) {
    return Path.of("src/test/resources/odd", name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"beside-0.pkl", "beside-2.pkl", "beside-4.pkl"})
  void unknownObjectsBesideTheNetworksAreShown(String name) {
    try (Checkpoint checkpoint = Checkpoint.open(odd(name))) {
      List<String> lines = checkpoint.summary().lines();
      assertThat(lines)
          .contains(
              "args: argparse.Namespace(lr=0.001, name=\"x\", data=pathlib.PurePosixPath(\"/\","
                  + " \"data\", \"in\"))",
              "path: pathlib.PurePosixPath(\"/\", \"tmp\", \"x\")",
              "counter: collections.Counter({\"a\":2,\"b\":1})",
              "when: datetime.datetime(\"<10 bytes>\","
                  + " datetime.timezone(datetime.timedelta(0, 0, 0)))",
              "layer: torch.nn.modules.linear.Linear(in_features=3)",
              "config: __main__.Config(lr=0.001, betas=[0.9,0.999], note=\"a\\u{1b}[2Jb\")",
              "class: \"<__main__.Config>\"",
              "nested: {\"list\":[__main__.Config(n=1180591620717411303424)],\"3\":\"three\"}",
              "step: 5")
          .anyMatch(l -> l.matches("partial: functools.partial\\(.*builtin.*\\.len.*"))
          .anyMatch(l -> l.matches("defaults: .*defaultdict\\(\"<.*\\.list>\", \\{\"a\":\\[1]}\\)"))
          .anyMatch(l -> l.matches("queue: collections.deque\\(.*1,2.*\\)"))
          .anyMatch(l -> l.matches("z: .*builtin.*\\.complex\\(1.0, 2.0\\)"));
      assertThat(checkpoint.step()).isEqualTo(5);
    }
  }

  @Test
  void anObjectIsGivenByItsNameAndWhatItIsMadeFrom() {
    try (Checkpoint checkpoint = Checkpoint.open(odd("beside-2.pkl"))) {
      Map<String, CheckpointEntry> entries = checkpoint.otherEntries();
      InertValue args = inert(entries, "args");
      assertThat(args.type()).isEqualTo("argparse.Namespace");
      assertThat(args.arguments()).isEmpty();
      assertThat(args.attributes()).containsEntry("lr", 0.001);
      assertThat(args.attributes().get("data"))
          .isEqualTo(new InertValue("pathlib.PurePosixPath", List.of("/", "data", "in"), Map.of()));
      // No state but slots, which is a pair.
      InertValue slots = inert(entries, "slots");
      assertThat(slots.arguments().toString()).isEqualTo("[[null, {a=1, b=two}]]");
    }
  }

  private static InertValue inert(Map<String, CheckpointEntry> entries, String key) {
    if (entries.get(key) instanceof CheckpointEntry.Plain(InertValue value)) {
      return value;
    }
    throw new AssertionError(key + " is " + entries.get(key));
  }

  @ParameterizedTest
  @CsvSource({
    // {'ema': Net()}, {'ema': {'a': [Net]}}, Net(), and a network's attribute that nobody reads.
    "'}X\\3\\0\\0\\0emacmy.code\nNet\n)Rs.', entry 'ema': my.code.Net",
    "'}X\\3\\0\\0\\0net}X\\1\\0\\0\\0a]cmy.code\nNet\nass.', entry 'net': my.code.Net",
    "'cmy.code\nNet\n)R.', the object: my.code.Net",
  })
  void withinANetworkTheyAreRefusedByName(String pickle, String message) throws IOException {
    Path file = write(pickle);
    assertThatThrownBy(() -> Checkpoint.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessageContaining(
            message
                + " is not allowed in a checkpoint: it is not among the names known to be data");
  }

  @ParameterizedTest
  @CsvSource({
    "os, system",
    "subprocess, Popen",
    "builtins, eval",
    "__builtin__, __import__",
    "importlib.util, find_spec",
    "torch.hub, load",
  })
  void whatRunsCodeIsRefusedBesideTheNetworksToo(String module, String name) throws IOException {
    Path file = write("}X\\1\\0\\0\\0ac" + module + "\n" + name + "\n)Rs.");
    assertThatThrownBy(() -> Checkpoint.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessageContaining(
            "%s.%s is not allowed in a checkpoint: it would run code", module, name);
  }

  @Test
  void anUnknownNameIsNotDroppedUnseenOutOfANetwork() throws IOException {
    // {'ema': OrderedDict() with attributes}, of which the reader keeps none.
    Path file =
        write("}X\\3\\0\\0\\0emaccollections\nOrderedDict\n)R}X\\1\\0\\0\\0acmy.code\nNet\nsbs.");
    assertThatThrownBy(() -> Checkpoint.open(file).close())
        .hasMessageContaining("my.code.Net is not allowed in a checkpoint");
  }

  @ParameterizedTest
  @ValueSource(strings = {"legacy-2.pt", "legacy-4.pt"})
  void theOlderFormatIsKnownInEveryProtocol(String name) {
    try (Checkpoint checkpoint = Checkpoint.open(odd(name))) {
      assertThat(checkpoint.format()).isEqualTo(CheckpointFormat.TORCH_LEGACY);
      StoredTensor tensor = Fixtures.get(checkpoint.tensors(), "a");
      assertThat(Fixtures.bytes(tensor.data()))
          .containsExactly(0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'null', 'a value that is not a JSON object'",
    "'[]', 'a value that is not a JSON object'",
    "'3', 'a value that is not a JSON object'",
    "'', 'a value that is not a JSON object'",
  })
  void metadataThatIsNoObjectIsRefused(String kwargs, String reason) throws IOException {
    Path file = safetensors("\"rdm.init_kwargs\": \"" + kwargs + "\"");
    assertThatThrownBy(() -> Checkpoint.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessage(file + ": the metadata has, for rdm.init_kwargs, " + reason);
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "{}", "[null]", "[1]", "3"})
  void buffersThatAreNoListOfNamesAreRefused(String buffers) throws IOException {
    Path file = safetensors("\"rdm.init_kwargs\": \"{}\", \"rdm.buffers\": \"" + buffers + "\"");
    assertThatThrownBy(() -> Checkpoint.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessage(
            file
                + ": the metadata has, for rdm.buffers, a value that is not a JSON list"
                + " of names");
  }

  @ParameterizedTest
  @CsvSource({
    "'\\212\\5\\0\\0\\0\\0\\1', 4294967296",
    "'\\212\\1\\377', -1",
    "'\\212\\011\\0\\0\\0\\0\\0\\0\\0\\0\\1', a number of 65 bits",
  })
  void optimizerNumbersThatNoParameterHasAreRefused(String key, String shown) throws IOException {
    // {'optimizer_state': {'state': {key: {}}, 'param_groups': []}}
    Path file =
        write(
            "}X\\017\\0\\0\\0optimizer_state}(X\\5\\0\\0\\0state}"
                + key
                + "}sX\\014\\0\\0\\0param_groups]us.");
    assertThatThrownBy(() -> Checkpoint.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessageContaining("entry 'optimizer_state'")
        .hasMessageContaining(shown);
  }

  @Test
  void aStepOfMoreThan64BitsIsNoStep() throws IOException {
    Path file = write("}X\\4\\0\\0\\0step\\212\\011\\0\\0\\0\\0\\0\\0\\0\\0\\1s.");
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThat(checkpoint.otherEntries())
          .containsEntry("step", new CheckpointEntry.Plain(BigInteger.TWO.pow(64)));
      assertThatThrownBy(checkpoint::step)
          .isInstanceOf(FileException.class)
          .hasMessageContaining("has no integer 'step'");
    }
  }

  @Test
  void aTensorThatRepeatsTheEndOfItsStorageIsRefusedWithItsFile() throws IOException {
    // Sizes [2, 2] and strides [0, 1] from the second of three elements on.
    String legacy = new String(Files.readAllBytes(odd("legacy-2.pt")), StandardCharsets.ISO_8859_1);
    String sizes = "K\0K\3\u0085q\bK\1\u0085q\t";
    assertThat(legacy).contains(sizes);
    Path file = folder.resolve("legacy.pt");
    Files.write(
        file,
        legacy.replace(sizes, "K\1K\2K\2\u0086K\0K\1\u0086").getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Checkpoint.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessageContaining("of sizes [2, 2], strides [0, 1], offset 1, but its storage has 3");
  }

  private Path safetensors(String metadata) throws IOException {
    String header =
        "{\"__metadata__\": {\"rdm.class_name\": \"EDMPrecond\", %s}}".formatted(metadata);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < Long.BYTES; i++) {
      bytes.write((int) ((long) text.length >>> (8 * i)));
    }
    bytes.write(text);
    return Files.write(folder.resolve("file.safetensors"), bytes.toByteArray());
  }

  /** A pickle of protocol 2 of its opcodes, in which {@code \ooo} stands for a byte in octal. */
  private Path write(String pickle) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(0x80);
    bytes.write(2);
    for (int i = 0; i < pickle.length(); i++) {
      char c = pickle.charAt(i);
      if (c == '\\') {
        int value = 0;
        int digits = 0;
        while (digits < 3 && i + 1 < pickle.length() && isOctal(pickle.charAt(i + 1))) {
          value = value * 8 + pickle.charAt(++i) - '0';
          digits++;
        }
        bytes.write(value);
      } else {
        bytes.write(c);
      }
    }
    return Files.write(folder.resolve("file.pkl"), bytes.toByteArray());
  }

  private static boolean isOctal(char c) {
    return c >= '0' && c <= '7';
  }
}
