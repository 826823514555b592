// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.archive.CheckpointFile.Classes;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.PickleReader.Globals;
import org.relaydiffusion.checkpoint.pickle.Values;
import org.relaydiffusion.io.zip.ZipArchive;
import org.relaydiffusion.io.zip.ZipMember;

/**
 * The format written by {@code torch.save} since PyTorch 1.6: root/data.pkl and root/data/0, 1, 2,
 * ... A TorchScript archive also has a program in root/code.
 */
final class TorchZip {
  private static final String PICKLE = "/data.pkl";

  /** The folder of the program in a TorchScript archive, below the archive's root. */
  private static final String CODE = "code/";

  private static final int MOST_ENTRIES = 1_000_000;

  private final CheckpointFile file;
  private final ZipArchive zip;
  private final Map<String, ZipMember> entries = new LinkedHashMap<>();
  private final boolean checksums;
  private final Classes classes;

  private TorchZip(CheckpointFile file, Classes classes) {
    this.file = file;
    this.classes = classes;
    this.zip = ZipArchive.of(file.file(), MOST_ENTRIES);
    zip.members().forEach(this::add);
    // PyTorch can be configured to write no checksums: then all are the same constant.
    this.checksums =
        entries.size() < 3 || entries.values().stream().map(ZipMember::crc).distinct().count() > 1;
  }

  /**
   * Accepts an entry whose two headers agree. Compressed entries are rejected, because PyTorch
   * writes none except for the source text of programs, which is not read.
   */
  private void add(ZipMember entry) {
    String name = entry.name();
    if (entry.isStored()) {
      zip.slice(entry);
    } else if (!name.startsWith(CODE, name.indexOf('/') + 1)) {
      throw file.bad(
          "entry '%s' is compressed: unpack the file and save it again"
              .formatted(Printable.of(name)));
    }
    entries.put(name, entry);
  }

  /** Reads the pickle; storages are located, and their checksums are verified on access. */
  static Object read(CheckpointFile file, Classes classes) {
    return new TorchZip(file, classes).read();
  }

  private Object read() {
    List<String> pickles =
        entries.keySet().stream()
            .filter(n -> n.endsWith(PICKLE) && n.indexOf('/') == n.length() - PICKLE.length())
            .toList();
    if (pickles.size() != 1) {
      throw file.bad(
          "is a zip with %s files data.pkl, expected 1: it was not written by torch.save"
              .formatted(pickles.size()));
    }
    String pickle = pickles.getFirst();
    String root = pickle.substring(0, pickle.length() - PICKLE.length() + 1);
    boolean program = holdsProgram(root);
    if (program && classes == Classes.OFFICIAL) {
      throw file.bad("is a TorchScript archive (a program), expected a checkpoint (data)");
    }
    checkByteOrder(root);
    MemorySegment memory = checked(pickle);
    StorageIds ids = new StorageIds(file, (key, storage) -> place(root, key, storage));
    PickleInput in = new PickleInput(memory);
    Globals globals =
        program ? ModuleGlobals.ofScript(new TorchGlobals(file).table()) : file.globals(classes);
    Object value =
        PickleReader.read(
            file.path(),
            "entry '%s'".formatted(Printable.of(pickle)),
            in,
            file.budget(),
            globals,
            ids);
    if (in.remaining() > 0) {
      throw file.bad("has %s bytes after the end of its pickle".formatted(in.remaining()));
    }
    return value;
  }

  private boolean holdsProgram(String root) {
    boolean program = false;
    for (String name : entries.keySet()) {
      if (!name.startsWith(root)) {
        throw file.bad(
            "has the entry '%s' outside its folder '%s'"
                .formatted(Printable.of(name), Printable.of(root)));
      }
      program |= name.equals(root + "constants.pkl") || name.startsWith(root + CODE);
    }
    return program;
  }

  private void checkByteOrder(String root) {
    if (entries.containsKey(root + "byteorder")) {
      MemorySegment memory = checked(root + "byteorder");
      String order = memory.byteSize() > 16 ? "something long" : CheckpointFile.ascii(memory);
      if (!order.equals("little")) {
        throw file.bad(
            "has the byte order '%s', only 'little' is supported".formatted(Printable.of(order)));
      }
    }
  }

  private MemorySegment checked(String name) {
    ZipMember entry = entry(name);
    if (checksums) {
      zip.checkCrc(entry);
    }
    return zip.slice(entry);
  }

  private ZipMember entry(String name) {
    ZipMember entry = entries.get(name);
    if (entry == null) {
      throw new BadPickleException("requires the missing entry '%s'".formatted(Printable.of(name)));
    }
    return entry;
  }

  private void place(String root, String key, Storage storage) {
    ZipMember entry = entry(root + "data/" + key);
    if (entry.size() != storage.byteSize()) {
      throw new BadPickleException(
          "has storage %s as %s elements of %s, but its entry has %s bytes"
              .formatted(
                  Values.show(key), storage.numel(), storage.dtype().torchName(), entry.size()));
    }
    storage.place(zip.slice(entry), checksums ? () -> zip.checkCrc(entry) : () -> {});
  }
}
