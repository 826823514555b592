// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.LeasedArena;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/**
 * A safetensors file, mapped into memory: its tensors are used where they lie. Only a tensor that
 * does not begin at a multiple of its element size (no writer of today does that) is copied.
 *
 * <p>{@link #close()} unmaps the file, or leaves that to the end of the last of LibTorch's tensors
 * that lie in it.
 */
public final class SafetensorsFile implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final MappedFile file;
  private final LeasedArena copies;
  private final Map<String, TensorData> tensors;
  private final Map<String, OtherTensor> otherTensors;
  private final Map<String, String> metadata;

  /**
   * A tensor of a type that the format has but that is not loaded here.
   *
   * @param type safetensors' name, such as {@code F8_E4M3} or {@code U16}
   * @param shape the sizes, outermost first
   */
  public record OtherTensor(String type, List<Long> shape) {
    @Override
    public String toString() {
      return type + shape;
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed by close(), or by open() when this throws.
  private SafetensorsFile(MappedFile file, LeasedArena copies) {
    this.file = file;
    this.copies = copies;
    SafetensorsHeader header = SafetensorsHeader.read(file);
    checkLayout(header);
    Map<String, TensorData> found = new LinkedHashMap<>();
    Map<String, OtherTensor> others = new LinkedHashMap<>();
    header
        .tensors()
        .forEach((name, claim) -> {
          if (claim.dtype().isPresent()) {
            found.put(name, tensor(name, claim, claim.dtype().get(), header));
          } else {
            checkOther(name, claim);
            others.put(
                name, new OtherTensor(claim.type(), Arrays.stream(claim.shape()).boxed().toList()));
          }
        });
    this.tensors = Collections.unmodifiableMap(found);
    this.otherTensors = Collections.unmodifiableMap(others);
    this.metadata = Collections.unmodifiableMap(header.metadata());
  }

  /**
   * Opens a file and checks its header: the tensors must cover the data exactly, one after another,
   * each with the length that its shape and type ask for.
   *
   * @throws FileException when it cannot be read or is not a safetensors file
   */
  @SuppressWarnings("MustBeClosedChecker") // The result owns both, and closes them.
  public static SafetensorsFile open(Path path) {
    MappedFile file = MappedFile.open(path);
    LeasedArena copies = LeasedArena.open();
    try {
      return file.reading(() -> new SafetensorsFile(file, copies));
    } catch (RuntimeException e) {
      copies.close();
      file.close();
      throw e;
    }
  }

  /**
   * The file's tensors, in the header's order, each contiguous; valid until {@link #close()}. Those
   * of {@link #otherTensors} are not among them.
   */
  public Map<String, TensorData> tensors() {
    return tensors;
  }

  /** The tensors of types that are not loaded here, in the header's order. */
  public Map<String, OtherTensor> otherTensors() {
    return otherTensors;
  }

  /** The header's {@code __metadata__}, in its order; empty when there is none. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** The file that this is a map of. */
  public Path path() {
    return file.path();
  }

  /** The map, for those who read tensors out of it. */
  public MappedFile file() {
    return file;
  }

  @Override
  public void close() {
    copies.close();
    file.close();
  }

  private void checkLayout(SafetensorsHeader header) {
    List<Map.Entry<String, SafetensorsHeader.Claim>> order =
        new ArrayList<>(header.tensors().entrySet());
    order.sort(
        Comparator.comparingLong(
                (Map.Entry<String, SafetensorsHeader.Claim> e) -> e.getValue().begin())
            .thenComparingLong(e -> e.getValue().end()));
    long at = 0;
    for (Map.Entry<String, SafetensorsHeader.Claim> e : order) {
      SafetensorsHeader.Claim claim = e.getValue();
      if (claim.begin() != at || claim.end() < claim.begin()) {
        throw bad(
            e.getKey(),
            "has data_offsets [%s, %s], expected to begin at %s: a gap or an overlap"
                .formatted(claim.begin(), claim.end(), at));
      }
      at = claim.end();
    }
    long data = file.size() - header.dataStart();
    if (at != data) {
      throw new FileException(
          file.path(),
          "the tensors take %s bytes, but the file has %s for them".formatted(at, data));
    }
  }

  private void checkOther(String name, SafetensorsHeader.Claim claim) {
    long expected = claim.byteSize();
    try {
      for (long s : claim.shape()) {
        expected = Math.multiplyExact(expected, s);
      }
    } catch (ArithmeticException _) {
      expected = -1;
    }
    if (expected != claim.end() - claim.begin()) {
      throw bad(
          name,
          "of type %s and shape %s has %s bytes, expected %s"
              .formatted(
                  claim.type(),
                  Arrays.toString(claim.shape()),
                  claim.end() - claim.begin(),
                  expected < 0 ? "more than any file has" : expected));
    }
  }

  private TensorData tensor(
      String name, SafetensorsHeader.Claim claim, DType dtype, SafetensorsHeader header) {
    long length = claim.end() - claim.begin();
    MemorySegment memory = file.slice(header.dataStart() + claim.begin(), length, name);
    TensorData data;
    try {
      data = TensorData.contiguous(dtype, claim.shape(), memory);
    } catch (RdmException e) {
      throw new FileException(
          file.path(), "tensor '%s': %s".formatted(Printable.of(name), e.getMessage()), e);
    }
    if (data.byteSize() != length) {
      throw bad(
          name,
          "of type %s and shape %s has %s bytes, expected %s"
              .formatted(
                  dtype.torchName(), Arrays.toString(claim.shape()), length, data.byteSize()));
    }
    if (length == 0 || memory.address() % dtype.byteSize() == 0) {
      return data;
    }
    MemorySegment copy = copies.allocate(length, ALIGNMENT).copyFrom(memory);
    return TensorData.contiguous(dtype, claim.shape(), copy.asReadOnly());
  }

  private FileException bad(String name, String what) {
    return new FileException(file.path(), "tensor '%s' %s".formatted(Printable.of(name), what));
  }
}
