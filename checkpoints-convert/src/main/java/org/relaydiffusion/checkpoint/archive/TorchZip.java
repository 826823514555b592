package org.relaydiffusion.checkpoint.archive;

import java.util.List;
import java.util.Map;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.archive.CheckpointFile.Classes;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader.Globals;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * What {@code torch.save} writes since PyTorch 1.6: root/data.pkl and root/data/0, 1, 2, ... A
 * TorchScript archive has a program in root/code beside these.
 */
final class TorchZip {
  private static final String PICKLE = "/data.pkl";

  private final CheckpointFile file;
  private final Map<String, ZipEntry> entries;
  private final boolean checksums;
  private final Classes classes;

  private TorchZip(CheckpointFile file, Classes classes) {
    this.file = file;
    this.classes = classes;
    this.entries = ZipArchive.entries(file);
    // PyTorch can be told to write no checksums: then all are the same constant.
    this.checksums =
        entries.size() < 3 || entries.values().stream().map(ZipEntry::crc).distinct().count() > 1;
  }

  /** Reads the pickle; storages are placed, not read, and their checksums wait for their use. */
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
          "is a zip with %s files data.pkl in its folders, expected 1: not made by torch.save"
              .formatted(pickles.size()));
    }
    String pickle = pickles.getFirst();
    String root = pickle.substring(0, pickle.length() - PICKLE.length() + 1);
    boolean program = holdsProgram(root);
    if (program && classes == Classes.OFFICIAL) {
      throw file.bad("is a TorchScript archive (a program), expected a checkpoint (data)");
    }
    checkByteOrder(root);
    ZipEntry entry = checked(pickle);
    StorageIds ids = new StorageIds(file, (key, storage) -> place(root, key, storage));
    PickleInput in = new PickleInput(entry.memory());
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
      program |= name.equals(root + "constants.pkl") || name.startsWith(root + ZipArchive.CODE);
    }
    return program;
  }

  private void checkByteOrder(String root) {
    if (entries.containsKey(root + "byteorder")) {
      ZipEntry entry = checked(root + "byteorder");
      String order =
          entry.memory().byteSize() > 16 ? "something long" : CheckpointFile.ascii(entry.memory());
      if (!order.equals("little")) {
        throw file.bad(
            "has the byte order '%s', only 'little' is supported".formatted(Printable.of(order)));
      }
    }
  }

  private ZipEntry checked(String name) {
    ZipEntry entry = entry(name);
    if (checksums) {
      entry.checkCrc(file);
    }
    return entry;
  }

  private ZipEntry entry(String name) {
    ZipEntry entry = entries.get(name);
    if (entry == null) {
      throw new BadPickleException(
          "needs the entry '%s', which is not there".formatted(Printable.of(name)));
    }
    return entry;
  }

  private void place(String root, String key, Storage storage) {
    ZipEntry entry = entry(root + "data/" + key);
    if (entry.memory().byteSize() != storage.byteSize()) {
      throw new BadPickleException(
          "has storage %s as %s elements of %s, but its entry has %s bytes"
              .formatted(
                  Values.show(key),
                  storage.numel(),
                  storage.dtype().torchName(),
                  entry.memory().byteSize()));
    }
    storage.place(entry.memory(), checksums ? () -> entry.checkCrc(file) : () -> {});
  }
}
