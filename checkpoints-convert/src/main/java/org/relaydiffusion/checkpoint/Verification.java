// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.model.safetensors.TensorSource;

/** Verification of a conversion, which reads the written file back. */
public final class Verification {
  private Verification() {}

  /**
   * Compares what was written with what should have been, by dtype, shape and SHA-256.
   *
   * @param expected every tensor by name
   * @param written the tensors of the file
   */
  public static List<ConversionReport.TensorCheck> compare(
      Map<String, TensorSource> expected, Map<String, StoredTensor> written) {
    List<ConversionReport.TensorCheck> checks = new ArrayList<>();
    expected.forEach((name, source) -> checks.add(check(name, source, written.get(name))));
    return List.copyOf(checks);
  }

  /**
   * Checks that all tensors of a conversion are equal.
   *
   * @return the report
   * @throws FileException naming the first that is not
   */
  public static ConversionReport checkEqual(ConversionReport report) {
    for (ConversionReport.TensorCheck tensor : report.tensors()) {
      if (!tensor.equal()) {
        throw new FileException(
            report.converted(),
            "the written values of tensor '%s' differ from the source"
                .formatted(Printable.of(tensor.name())));
      }
    }
    return report;
  }

  private static ConversionReport.TensorCheck check(
      String name, TensorSource expected, @Nullable StoredTensor written) {
    String sum = sha256(expected);
    boolean equal =
        written != null
            && written.dtype() == expected.dtype()
            && Arrays.equals(written.shape(), expected.shape())
            && sum.equals(sha256(new LazySource(written)));
    return new ConversionReport.TensorCheck(
        name, expected.dtype(), Arrays.stream(expected.shape()).boxed().toList(), sum, equal);
  }

  private static String sha256(TensorSource source) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      source.forEachChunk(chunk -> digest.update(chunk.asByteBuffer()));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException | IOException e) {
      // Every Java has SHA-256, and hashing itself performs no I/O.
      throw new IllegalStateException(e);
    }
  }
}
