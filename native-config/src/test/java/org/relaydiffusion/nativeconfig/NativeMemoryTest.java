// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What is freed is used again, and large tensors lie in huge pages. */
@EnabledOnOs(OS.LINUX)
class NativeMemoryTest {
  private static final Pattern LINE = Pattern.compile("huge pages (true|false), faults (\\d+)");

  // As the largest activations of the 64 px network, and more than glibc keeps before 2.36.
  private static final long BLOCK = 40 << 20;

  @TempDir Path folder;

  @Test
  void aBlockThatWasFreedIsUsedAgainWithoutPageFaults() throws Exception {
    assumeTrue(keepsLargeBlocks(), "a C library that keeps blocks of this size");
    // Without the settings it is 10,240 pages every time. The JVM itself makes some faults too.
    assertThat(Long.parseLong(blocks(Map.of(), "malloc", "free").group(2))).isLessThan(1000);
  }

  @Test
  void hugePagesAreAskedForWhereTheKernelHasThem() throws Exception {
    assumeTrue(Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")));
    assertThat(tensors(Map.of()).group(1)).isEqualTo("true");
  }

  @Test
  void theUsersWordOnHugePagesStands() throws Exception {
    assertThat(tensors(Map.of("THP_MEM_ALLOC_ENABLE", "0")).group(1)).isEqualTo("false");
  }

  private static boolean keepsLargeBlocks() {
    return Linker.nativeLinker()
        .defaultLookup()
        .find("gnu_get_libc_version")
        .map(f -> (MemorySegment) Downcall.call(f, FunctionDescriptor.of(ValueLayout.ADDRESS)))
        .map(text -> text.reinterpret(Byte.MAX_VALUE).getString(0).split("\\.", -1))
        .filter(v -> Integer.parseInt(v[0]) > 2 || Integer.parseInt(v[1]) >= 36)
        .isPresent();
  }

  private Matcher tensors(Map<String, String> environment)
      throws IOException, InterruptedException {
    return blocks(environment, "_ZN3c109alloc_cpuEm", "_ZN3c108free_cpuEPv");
  }

  private Matcher blocks(Map<String, String> environment, String allocate, String free)
      throws IOException, InterruptedException {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder, BlocksMain.class, List.of(), environment, Long.toString(BLOCK), allocate, free);
    Matcher line = LINE.matcher(outcome.out().strip());
    assertThat(line.matches()).as("%s", outcome).isTrue();
    return line;
  }
}
