// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.io.StoredZipWriter;
import org.relaydiffusion.io.StoredZipWriter.Layout;
import org.relaydiffusion.io.zip.ZipArchive;
import org.relaydiffusion.io.zip.ZipMember;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

class StoredZipWriterTest {
  @TempDir Path folder;

  /**
   * Limits far below the format's send sizes, offsets and counts to the 64-bit records that a file
   * of more than 4 GiB needs: none, sizes and offsets, offsets alone, the count alone.
   */
  @ParameterizedTest
  @CsvSource({"4294967295, 65535", "100, 65535", "2000, 65535", "4294967295, 4", "0, 0"})
  void theArchiveOpensInJavaAndHereWhereverItsNumbersStand(long number, int count)
      throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    for (int size : List.of(0, 1, 63, 64, 99, 100, 101, 1999, 4096)) {
      byte[] bytes = new byte[size];
      for (int i = 0; i < size; i++) {
        bytes[i] = (byte) (i * size);
      }
      entries.put("archive/data/" + size, bytes);
    }
    Path file = folder.resolve("zip");
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      StoredZipWriter zip =
          new StoredZipWriter(out, Layout.TORCH, new StoredZipWriter.Limits(number, count));
      for (Map.Entry<String, byte[]> e : entries.entrySet()) {
        zip.add(e.getKey(), e.getValue());
      }
      zip.finish();
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      assertThat(zip.size()).isEqualTo(entries.size());
      Enumeration<? extends java.util.zip.ZipEntry> read = zip.entries();
      for (Map.Entry<String, byte[]> e : entries.entrySet()) {
        java.util.zip.ZipEntry entry = read.nextElement();
        assertThat(entry.getName()).isEqualTo(e.getKey());
        assertThat(entry.getMethod()).isEqualTo(java.util.zip.ZipEntry.STORED);
        // Reading to the end compares the checksum.
        assertThat(zip.getInputStream(entry).readAllBytes()).isEqualTo(e.getValue());
      }
    }
    try (ZipArchive zip = ZipArchive.open(file)) {
      assertThat(zip.members())
          .extracting(ZipMember::name)
          .containsExactlyElementsOf(entries.keySet());
      for (ZipMember entry : zip.members()) {
        MemorySegment memory = zip.slice(entry);
        assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(entries.get(entry.name()));
        if (memory.byteSize() > 0) {
          assertThat(memory.address() % 64).isZero();
        }
        zip.checkCrc(entry);
      }
    }
  }

  /** The whole container with 64-bit records throughout, as the reader sees it. */
  @Test
  void aTensorComesBackThroughSixtyFourBitRecords() throws IOException {
    float[] values = {1, 2, 3, 4, 5, 6};
    TensorSource source =
        TensorSource.of(
            TensorData.contiguous(DType.FLOAT32, new long[] {2, 3}, MemorySegment.ofArray(values)));
    Path file = folder.resolve("tensor.pt");
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      TorchZipWriter.write(out, List.of(source, source), new StoredZipWriter.Limits(0, 0));
    }
    try (MappedFile mapped = MappedFile.open(file);
        Arena arena = Arena.ofConfined()) {
      List<?> read =
          (List<?>) new CheckpointFile(mapped, arena).read(CheckpointFile.Container.TORCH_ZIP);
      assertThat(read).hasSize(2);
      TensorRef tensor = (TensorRef) read.getLast();
      assertThat(tensor.shape()).containsExactly(2, 3);
      assertThat(tensor.raw().memory().toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(values);
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      assertThat(zip.stream().filter(e -> e.getName().contains("/data/")))
          .as("a tensor that occurs twice is stored once")
          .hasSize(1);
    }
  }

  @Test
  void contentOfAnotherSizeThanWasSaidIsAnError() throws IOException {
    try (FileChannel out =
        FileChannel.open(
            folder.resolve("zip"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      StoredZipWriter zip = new StoredZipWriter(out, Layout.TORCH);
      assertThatThrownBy(() -> zip.add("a", 5, sink -> sink.accept(ByteBuffer.wrap(new byte[4]))))
          .isInstanceOf(IOException.class)
          .hasMessage("entry 'a' has 4 bytes, expected 5");
    }
  }
}
