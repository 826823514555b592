// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.testing;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.relaydiffusion.checkpoint.archive.TorchZipWriter;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleForm;

/**
 * Writes archives of the shape that {@code torch.jit.save} gives them: the module's attributes in
 * data.pkl, tensors in data/, an empty constants.pkl, and below code/ a compressed program.
 */
public final class ScriptArchive {
  /** A pickle of an empty tuple. */
  private static final byte[] CONSTANTS = {(byte) 0x80, 2, ')', '.'};

  private ScriptArchive() {}

  /** An object of the class that a program would call {@code __torch__.Name}. */
  public static PickleForm object(String name, Map<String, ?> attributes) {
    return new PickleForm.NewObject(new GlobalName("__torch__", name), attributes);
  }

  /** Writes an archive whose root is {@code root}, an {@link #object} unless it is hostile. */
  public static void write(Path target, Object root) throws IOException {
    write(target, root, Map.of());
  }

  /**
   * As {@link #write(Path, Object)}.
   *
   * @param methods how entries that are not to be stored as usual are packed, by name without the
   *     archive's folder
   */
  public static void write(Path target, Object root, Map<String, Integer> methods)
      throws IOException {
    Path data = target.resolveSibling(target.getFileName() + ".data");
    try (FileChannel out =
        FileChannel.open(data, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      TorchZipWriter.write(out, root);
    }
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(data.toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    Files.delete(data);
    String code = "class Net(Module):\n  def forward(self) -> int:\n    return exit(1)\n".repeat(9);
    entries.put("archive/constants.pkl", CONSTANTS);
    entries.put("archive/code/__torch__.py", code.getBytes(StandardCharsets.US_ASCII));
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(target))) {
      for (Map.Entry<String, byte[]> e : entries.entrySet()) {
        String name = e.getKey().substring("archive/".length());
        int usual = name.startsWith("code/") ? ZipEntry.DEFLATED : ZipEntry.STORED;
        add(zip, e.getKey(), e.getValue(), methods.getOrDefault(name, usual));
      }
    }
  }

  private static void add(ZipOutputStream zip, String name, byte[] bytes, int method)
      throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(method);
    if (method == ZipEntry.STORED) {
      CRC32 crc = new CRC32();
      crc.update(bytes);
      entry.setSize(bytes.length);
      entry.setCrc(crc.getValue());
    }
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
