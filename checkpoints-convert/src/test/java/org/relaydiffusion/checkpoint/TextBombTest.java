// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

/**
 * Files of some kilobytes that refer to one text, or to one module with a long name, so many times
 * that what is made of it would fill any memory.
 */
@Timeout(60)
class TextBombTest {
  private static final long MOST_HEAP = 256L << 20;
  private static final String LONG_TEXT = "s".repeat(45_000);

  @TempDir Path folder;

  private static void nothing(Pickle unused) {}

  @Test
  void aTextInListsOfListsIsShownAsAList() throws IOException {
    Path file = new Pickle().bomb().dict().text("a").get(5).item().write(folder);
    within(() -> {
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        assertThat(checkpoint.summary().lines()).contains("a: a list of 10");
        assertThat(checkpoint.otherEntries().toString()).hasSizeLessThan(1000);
      }
    });
  }

  @Test
  void aTextInTheArgumentsOfAnUnknownObjectIsNotShown() throws IOException {
    // {'a': Config(list of lists)}
    Path file =
        new Pickle()
            .bomb()
            .dict()
            .text("a")
            .add("cmy.code\nConfig\n")
            .get(5)
            .add("\u0085R")
            .item()
            .write(folder);
    within(() -> {
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        assertThat(checkpoint.summary().lines()).contains("a: an object my.code.Config");
      }
    });
  }

  @Test
  void aTextInTheArgumentsOfANetworkIsRefused() throws IOException {
    Path file =
        new Pickle()
            .bomb()
            .dict()
            .text("ema")
            .object(Pickle::weight, TextBombTest::nothing, "img_resolution")
            .item()
            .writeLegacy(folder);
    within(() ->
        assertThatThrownBy(() -> convert(file))
            .isInstanceOf(FileException.class)
            .hasMessageContaining("_init_kwargs: has strings with more than 4000000 characters"));
  }

  @Test
  void aLongTextAsASettingIsCutInTheMessage() throws IOException {
    Path file =
        new Pickle()
            .text(LONG_TEXT)
            .put(5)
            .add("0")
            .dict()
            .text("ema")
            .object(Pickle::weight, TextBombTest::nothing, "img_resolution")
            .item()
            .writeLegacy(folder);
    within(() ->
        assertThatThrownBy(() -> convert(file))
            .isInstanceOf(FileException.class)
            .hasMessageContaining("img_resolution of the network is \"sss")
            .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(600)));
  }

  @Test
  void modulesThatShareAPartWithALongNameAreRefused() throws IOException {
    Pickle pickle = new Pickle();
    pickle.object(TextBombTest::nothing, TextBombTest::nothing, "").put(1).add("0");
    String name = "m".repeat(250);
    for (int level = 1; level < 24; level++) {
      int below = level;
      pickle
          .object(
              TextBombTest::nothing,
              p -> {
                p.text(name + "a").get(below).item();
                p.text(name + "b").get(below).item();
              },
              "")
          .put(level + 1)
          .add("0");
    }
    Path file = pickle.dict().text("ema").get(24).item().write(folder);
    within(() ->
        assertThatThrownBy(() -> Checkpoint.open(file))
            .isInstanceOf(FileException.class)
            .hasMessageContaining("with more than 8000000 characters"));
  }

  @Test
  void emptyPartsThatAreSharedAreCountedToo() throws IOException {
    // One module with 1000 parameters that are None, met 2^16 times.
    Pickle pickle = new Pickle();
    pickle
        .object(
            p -> {
              for (int i = 0; i < 1000; i++) {
                p.text("p" + i).add("N").item();
              }
            },
            TextBombTest::nothing,
            "")
        .put(1)
        .add("0");
    for (int level = 1; level < 17; level++) {
      int below = level;
      pickle
          .object(
              TextBombTest::nothing,
              p -> {
                p.text("a").get(below).item();
                p.text("b").get(below).item();
              },
              "")
          .put(level + 1)
          .add("0");
    }
    Path file = pickle.dict().text("ema").get(17).item().write(folder);
    within(() ->
        assertThatThrownBy(() -> Checkpoint.open(file))
            .isInstanceOf(FileException.class)
            .hasMessageContaining("with more than 8000000 characters"));
  }

  @Test
  void aContainerInEachOpcodeStaysWithinTheBudget() throws IOException {
    Pickle pickle = new Pickle().add("(");
    for (int i = 0; i < 3_000_000; i++) {
      pickle.add("}");
    }
    Path file = pickle.add("l").write(folder);
    within(() ->
        assertThatThrownBy(() -> Checkpoint.open(file))
            .isInstanceOf(FileException.class)
            .hasMessageContaining("has more than 2000000 opcodes"));
  }

  private void convert(Path file) {
    new CheckpointConverter(NetworkValidator.definition())
        .convert(file, folder.resolve("out.safetensors"), Which.EMA, Optional.empty());
  }

  private static void within(ThrowingCallable work) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long heap = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    try {
      work.call();
    } catch (Throwable e) {
      throw e instanceof Error error ? error : new AssertionError(e);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    assertThat(threads.getCurrentThreadAllocatedBytes() - heap).isLessThan(MOST_HEAP);
  }

  /** Writes opcodes of protocol 2, a character of Latin-1 a byte. */
  private static final class Pickle {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Pickle() {
      add("\u0080\u0002");
    }

    Pickle add(String opcodes) {
      bytes.writeBytes(opcodes.getBytes(StandardCharsets.ISO_8859_1));
      return this;
    }

    Pickle text(String text) {
      add("X");
      for (int i = 0; i < 4; i++) {
        bytes.write(text.length() >>> (8 * i));
      }
      return add(text);
    }

    Pickle put(int index) {
      return add("q" + (char) index);
    }

    Pickle get(int index) {
      return add("h" + (char) index);
    }

    Pickle dict() {
      return add("}");
    }

    Pickle item() {
      return add("s");
    }

    /** Value 5 becomes a list of lists of one text, ten to a list. */
    Pickle bomb() {
      text(LONG_TEXT).put(0).add("0");
      for (int level = 1; level <= 5; level++) {
        add("](");
        for (int i = 0; i < 10; i++) {
          get(level - 1);
        }
        add("e").put(level).add("0");
      }
      return this;
    }

    /**
     * An object of the official code.
     *
     * @param parameters puts items into the dictionary of its parameters, which is on the stack
     * @param modules puts items into the dictionary of its modules
     * @param argument which of its arguments value 5 is; none if empty
     */
    Pickle object(Consumer<Pickle> parameters, Consumer<Pickle> modules, String argument) {
      add("ctorch_utils.persistence\n_reconstruct_persistent_obj\n").dict();
      text("type").text("class").item();
      text("version").add("K\u0006").item();
      text("class_name").text("EDMPrecond").item();
      text("state").dict();
      text("_parameters").dict();
      parameters.accept(this);
      item();
      text("_buffers").dict().item();
      text("_modules").dict();
      modules.accept(this);
      item();
      text("_init_args").add(")").item();
      text("_init_kwargs").dict();
      if (!argument.isEmpty()) {
        text(argument).get(5).item();
        text("img_channels").add("K\u0003").item();
      }
      return item().item().add("\u0085R");
    }

    /** An item {@code w}: a tensor of one number. */
    void weight() {
      text("w").add("ctorch._utils\n_rebuild_tensor_v2\n((");
      text("storage").add("ctorch\nFloatStorage\n").text("0").text("cpu").add("K\u0001tQ");
      add("K\u0000K\u0001\u0085K\u0001\u0085\u0089ccollections\nOrderedDict\n)RtR").item();
    }

    /** As the object of torch's older format, which can have a tensor. */
    Path writeLegacy(Path folder) throws IOException {
      byte[] legacy = Files.readAllBytes(Path.of("src/test/resources/odd/legacy-2.pt"));
      String all = new String(legacy, StandardCharsets.ISO_8859_1);
      Pickle whole = new Pickle();
      whole.bytes.reset();
      // The pickles of the magic number, the version and the machine end where the fourth begins.
      whole.add(all.substring(0, all.indexOf("\u0080\u0002}q\u0000X\u0001")));
      whole.bytes.writeBytes(add(".").bytes.toByteArray());
      whole.add("\u0080\u0002]").text("0").add("a.");
      whole.add("\u0001\0\0\0\0\0\0\0\0\0\0\0");
      return Files.write(folder.resolve("bomb.pt"), whole.bytes.toByteArray());
    }

    Path write(Path folder) throws IOException {
      return Files.write(folder.resolve("bomb.pkl"), add(".").bytes.toByteArray());
    }
  }
}
