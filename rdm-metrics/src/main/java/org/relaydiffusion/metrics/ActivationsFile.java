// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorScope;

/**
 * An .npz file with the activations of a set of images, or only their moments.
 *
 * <table>
 * <caption>Arrays that are read; others are ignored</caption>
 * <tr><td>{@code feat} [N, D], {@code s_feat} [N, D2]</td><td>activations</td></tr>
 * <tr><td>{@code mu} [D], {@code sigma} [D, D], {@code s_mu}, {@code s_sigma}</td><td>moments</td>
 * </tr>
 * <tr><td>{@code count} [] or [1]</td><td>the number of images of the moments; optional</td>
 * </tr>
 * <tr><td>{@code mu_s}, {@code sigma_s}</td><td>spatial moments in ADM's reference batches</td>
 * </tr>
 * </table>
 *
 * <p>All arrays except the count, which is an integer, are float16, float32 or float64. Spatial
 * features are returned channel by channel, regardless of their order in the file. Opening reads
 * only the headers; {@link #close()} invalidates everything that was returned. Not thread-safe.
 */
public final class ActivationsFile implements ActivationSet {
  private final Path path;
  private final NpzFile file;
  private final Map<Feature, NpzActivations> activations = new EnumMap<>(Feature.class);
  private final Map<Feature, MomentArrays> moments = new EnumMap<>(Feature.class);
  private final OptionalLong count;

  /** The names of a mean and a covariance in a file. */
  private record MomentArrays(
      String mean, String covariance, long dimensions, SpatialOrder order) {}

  private ActivationsFile(Path path, NpzFile file, @Nullable SpatialOrder order) {
    this.path = path;
    this.file = file;
    Set<String> names = Set.copyOf(file.names());
    for (Feature feature : Feature.values()) {
      SpatialOrder own =
          feature == Feature.POOL || order == null ? SpatialOrder.CHANNELS_FIRST : order;
      if (names.contains(feature.array())) {
        activations.put(feature, NpzActivations.of(path, file, feature.array(), own));
      } else if (has(names, feature.mean(), feature.covariance())) {
        moments.put(feature, momentArrays(feature.mean(), feature.covariance(), own));
      } else if (has(names, feature.admMean(), feature.admCovariance())) {
        moments.put(
            feature,
            momentArrays(
                feature.admMean(),
                feature.admCovariance(),
                order == null ? SpatialOrder.POSITIONS_FIRST : own));
      }
    }
    if (activations.isEmpty() && moments.isEmpty()) {
      if (SampleArray.isIn(file)) {
        throw new FileException(
            path,
            "contains images ('arr_0'), like ADM's samples, but no activations:"
                + " 'rdm evaluate activations --data' extracts them");
      }
      throw new FileException(
          path,
          "contains neither activations ('feat') nor moments ('mu' and 'sigma'), only: %s"
              .formatted(names.isEmpty() ? "nothing" : NpzFile.list(file.names())));
    }
    this.count = names.contains("count") ? readCount() : rows();
  }

  /**
   * Opens a file whose spatial features are in the order implied by the names of its arrays: ADM's
   * for {@code mu_s}, otherwise the reference's.
   *
   * @return the file, which the caller closes
   * @throws FileException if it cannot be read, contains none of the known arrays, or one with
   *     another dtype or shape
   */
  public static ActivationsFile open(Path path) {
    return open(path, null);
  }

  /** Opens a file as {@link #open(Path)}, with the given order of spatial features. */
  public static ActivationsFile open(Path path, @Nullable SpatialOrder order) {
    NpzFile file = NpzFile.open(path);
    try {
      return new ActivationsFile(path, file, order);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Returns whether a file contains activations or moments, according to its headers. */
  public static boolean isActivations(Path path) {
    try (ActivationsFile _ = open(path)) {
      return true;
    } catch (RdmException _) {
      return false;
    }
  }

  /** Returns the path of the file. */
  public Path path() {
    return path;
  }

  /**
   * Returns the SHA-256 of the Inception weights of the features, if recorded, as in files
   * extracted by this project.
   */
  public Optional<String> inceptionSha256() {
    return Provenance.sha256(file.comment());
  }

  /**
   * Returns the random subset whose features the file contains, if recorded, as in files extracted
   * by this project; empty for a complete set, or if unknown.
   */
  public Optional<Provenance.Drawn> drawn() {
    return Provenance.drawn(file.comment());
  }

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public OptionalLong count() {
    return count;
  }

  @Override
  public boolean hasActivations(Feature feature) {
    return activations.containsKey(feature);
  }

  @Override
  public boolean hasMoments(Feature feature) {
    return hasActivations(feature) || moments.containsKey(feature);
  }

  @Override
  public Activations activations(Feature feature, String purpose) {
    NpzActivations found = activations.get(feature);
    if (found == null) {
      throw new FileException(
          path,
          moments.containsKey(feature)
              ? "contains only moments, but activations ('%s') are required for %s"
                  .formatted(feature.array(), purpose)
              : "has no '%s', which is required for %s".formatted(feature.array(), purpose));
    }
    return found;
  }

  @Override
  public Moments moments(Feature feature, String purpose, WorkOptions work) {
    MomentArrays arrays = moments.get(feature);
    if (arrays != null) {
      return MomentsFile.read(
          path, file, arrays.mean(), arrays.covariance(), arrays.order(), count);
    }
    return Moments.of(rows(feature, purpose), work);
  }

  @Override
  public long dimensions(Feature feature, String purpose) {
    MomentArrays arrays = moments.get(feature);
    return arrays != null ? arrays.dimensions() : rows(feature, purpose).dimensions();
  }

  private NpzActivations rows(Feature feature, String purpose) {
    NpzActivations rows = activations.get(feature);
    if (rows == null) {
      throw new FileException(
          path,
          "has neither '%s' nor '%s' and '%s', which are required for %s"
              .formatted(feature.array(), feature.mean(), feature.covariance(), purpose));
    }
    return rows;
  }

  private static boolean has(Set<String> names, String mean, String covariance) {
    return names.contains(mean) && names.contains(covariance);
  }

  /** Validates the headers of both. */
  private MomentArrays momentArrays(String mean, String covariance, SpatialOrder order) {
    try (NpyReader reader = file.array(mean).expect(NpzActivations.FLOATS, -1)) {
      long dimensions = reader.shape()[0];
      NpzActivations.checkDimensions(path, mean, dimensions);
      file.array(covariance).expect(NpzActivations.FLOATS, dimensions, dimensions).close();
      return new MomentArrays(mean, covariance, dimensions, order);
    }
  }

  /** Returns N of the activations, which must be the same for both kinds. */
  private OptionalLong rows() {
    NpzActivations pool = activations.get(Feature.POOL);
    NpzActivations spatial = activations.get(Feature.SPATIAL);
    if (pool != null && spatial != null && pool.count() != spatial.count()) {
      throw new FileException(
          path,
          "array '%s' has %s images, but '%s' has %s"
              .formatted(pool.array(), pool.count(), spatial.array(), spatial.count()));
    }
    NpzActivations any = pool != null ? pool : spatial;
    return any == null ? OptionalLong.empty() : OptionalLong.of(any.count());
  }

  /** Reads the count; any other array of that name is ignored. */
  private OptionalLong readCount() {
    OptionalLong rows = rows();
    try (NpyReader reader = file.array("count")) {
      if (!isWholeNumber(reader)) {
        return rows;
      }
      long number;
      try (TensorScope _ = TensorScope.open()) {
        number = reader.read(1).to(DType.INT64).toLongs()[0];
      }
      if (number < 1 || (rows.isPresent() && rows.getAsLong() != number)) {
        throw new FileException(
            path,
            "array 'count' is %s, but %s"
                .formatted(
                    number,
                    rows.isPresent()
                        ? "there are %s rows".formatted(rows.getAsLong())
                        : "it must be at least 1"));
      }
      return OptionalLong.of(number);
    }
  }

  private static boolean isWholeNumber(NpyReader reader) {
    long[] shape = reader.shape();
    return reader.isNumeric()
        && !reader.dtype().isFloatingPoint()
        && (shape.length == 0 || (shape.length == 1 && shape[0] == 1));
  }

  /** Closes the file. */
  @Override
  public void close() {
    file.close();
  }
}
