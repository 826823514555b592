// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.checkpoint.testing.ModuleFiles;
import org.relaydiffusion.checkpoint.testing.ScriptArchive;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/** Modules of other projects, in every kind of file. */
class ModuleFileTest {
  @TempDir private Path folder;

  private static TensorSource tensor(float... values) {
    MemorySegment memory = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, values);
    return TensorSource.of(
        TensorData.contiguous(DType.FLOAT32, new long[] {values.length}, memory));
  }

  private static Map<String, TensorSource> both() {
    return Map.of("bias", tensor(1, 2), "part.weight", tensor(3));
  }

  /** Linked maps keep the order of what is written. */
  private static Map<String, Object> map(Object... entries) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < entries.length; i += 2) {
      map.put((String) entries[i], entries[i + 1]);
    }
    return map;
  }

  /** A module with a tensor of its own, and a part with another. */
  private static PickleForm script() {
    return ScriptArchive.object(
        "Net",
        map(
            "training",
            false,
            "bias",
            tensor(1, 2),
            "sizes",
            new PickleForm.Call(
                new GlobalName("torch.jit._pickle", "build_intlist"), List.of(List.of(1, 2))),
            "part",
            ScriptArchive.object("Part", map("weight", tensor(3)))));
  }

  private static float[] values(ModuleFile file, String name) {
    return Fixtures.get(file.tensors(), name)
        .raw()
        .memory()
        .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  private static void assertHoldsBoth(Path file, String kind) {
    try (ModuleFile read = ModuleFile.open(file)) {
      assertThat(read.kind()).isEqualTo(kind);
      assertThat(read.path()).isEqualTo(file);
      assertThat(read.tensors()).containsOnlyKeys("bias", "part.weight");
      assertThat(values(read, "bias")).containsExactly(1, 2);
      assertThat(values(read, "part.weight")).containsExactly(3);
    }
  }

  @Test
  void aTorchScriptArchiveIsItsAttributes() throws IOException {
    Path file = folder.resolve("net.pt");
    ScriptArchive.write(file, script());
    assertHoldsBoth(file, "TorchScript archive");
  }

  @Test
  void aTorchScriptArchiveIsNoCheckpoint() throws IOException {
    Path file = folder.resolve("net.pt");
    ScriptArchive.write(file, script());
    assertRefused(() -> Checkpoint.open(file), file, "is a TorchScript archive (a program)");
  }

  @Test
  void aPickledModuleIsItsState() throws IOException {
    Path file = folder.resolve("net.pkl");
    ModuleFiles.pickle(file, both(), Set.of("bias"));
    assertHoldsBoth(file, "pickle of one module");
  }

  /** Layers of PyTorch's own, as a module behind the wrapper may have them. */
  @Test
  void aLayerOfPyTorchIsItsState() throws IOException {
    GlobalName linear = new GlobalName("torch.nn.modules.linear", "Linear");
    Map<String, Object> part =
        map("_parameters", map("weight", tensor(3)), "_buffers", map(), "_modules", map());
    PickleForm layer =
        new PickleForm.NewObject(
            linear,
            map(
                "_parameters",
                map("bias", tensor(1, 2)),
                "_buffers",
                map(),
                "_modules",
                map("part", new PickleForm.NewObject(linear, part))));
    Path file = folder.resolve("net.pt");
    ModuleFiles.value(file, layer);
    assertHoldsBoth(file, "pickle of one module");
    assertRefused(() -> Checkpoint.open(file), file, linear + " is not allowed in a checkpoint");
  }

  @Test
  void aStateDictIsItself() throws IOException {
    Path zip = folder.resolve("net.pth");
    ModuleFiles.stateDict(zip, both());
    assertHoldsBoth(zip, "torch zip");
    Path safetensors = folder.resolve("net.safetensors");
    SafetensorsWriter.writeSources(safetensors, both(), Map.of("from", "a test"));
    assertHoldsBoth(safetensors, "safetensors");
    try (ModuleFile read = ModuleFile.open(safetensors)) {
      assertThat(read.metadata()).containsExactly(Map.entry("from", "a test"));
    }
  }

  private static Arguments hostile(String name, String reason, Object root) {
    return Arguments.of(name, reason, root);
  }

  private static PickleForm nested(int levels) {
    PickleForm module = ScriptArchive.object("Net", map("weight", tensor(1)));
    for (int i = 0; i < levels; i++) {
      module = ScriptArchive.object("Net", map("part", module));
    }
    return module;
  }

  static Stream<Arguments> archives() {
    GlobalName system = new GlobalName("os", "system");
    GlobalName typed = new GlobalName("torch.jit._pickle", "restore_type_tag");
    return Stream.of(
        hostile(
            "a forbidden name",
            "os.system is not allowed in a checkpoint",
            ScriptArchive.object("Net", map("x", new PickleForm.Call(system, List.of("id"))))),
        hostile(
            "a name like a program's",
            "__torch__x.Net is not allowed in a checkpoint",
            new PickleForm.NewObject(new GlobalName("__torch__x", "Net"), map())),
        hostile(
            "a program that is called",
            "constructs a module with arguments",
            new PickleForm.Call(new GlobalName("__torch__", "Net"), List.of(1))),
        hostile(
            "a container without a type",
            "constructs a typed container from a list of 1",
            ScriptArchive.object("Net", map("x", new PickleForm.Call(typed, List.of(1))))),
        hostile("dots in a name", "the name 'a.b'", object("a.b")),
        hostile("an empty name", "the name ''", object("")),
        hostile("no attributes", "a list of 0", state(List.of())),
        hostile("depth", "nested more than 32 levels", nested(40)),
        hostile("a list", "contains a list of 0, expected a module", List.of()));
  }

  private static PickleForm object(String attribute) {
    return ScriptArchive.object("Net", map(attribute, tensor(1)));
  }

  private static PickleForm state(Object state) {
    return new PickleForm.NewObject(new GlobalName("__torch__", "Net"), state);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("archives")
  void hostileArchivesAreRefusedInOneLine(String what, String reason, Object root)
      throws IOException {
    Path file = folder.resolve("net.pt");
    ScriptArchive.write(file, root);
    assertRefused(() -> ModuleFile.open(file), file, reason);
  }

  @Test
  void onlyProgramsMayBeCompressed() throws IOException {
    Path file = folder.resolve("net.pt");
    ScriptArchive.write(file, script(), Map.of("data/0", ZipEntry.DEFLATED));
    assertRefused(() -> ModuleFile.open(file), file, "entry 'archive/data/0' is compressed");
    Files.delete(file);
    ScriptArchive.write(file, script(), Map.of("data.pkl", ZipEntry.DEFLATED));
    assertRefused(() -> ModuleFile.open(file), file, "entry 'archive/data.pkl' is compressed");
  }

  @Test
  void classesOfProgramsAreUnknownWhereThereIsNoProgram() throws IOException {
    Path file = folder.resolve("net.pt");
    ModuleFiles.stateDict(file, Map.of("net", script()));
    assertRefused(
        () -> ModuleFile.open(file), file, "__torch__.Net is not allowed in a checkpoint");
  }

  @Test
  void anArchiveThatIsCutOffIsRefusedWhereverThatIs() throws IOException {
    Path whole = folder.resolve("net.pt");
    ScriptArchive.write(whole, script());
    byte[] bytes = Files.readAllBytes(whole);
    Path cut = folder.resolve("cut.pt");
    for (int length = 0; length < bytes.length; length += 7) {
      Files.write(cut, Arrays.copyOf(bytes, length));
      assertRefused(() -> ModuleFile.open(cut), cut, "");
    }
  }

  private static void assertRefused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, Path file, String reason) {
    assertThatThrownBy(call)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(reason)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "\r", "\u001b"));
  }
}
