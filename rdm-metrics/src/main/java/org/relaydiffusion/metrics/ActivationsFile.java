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
 * What an .npz file knows of a set of images: their activations, or only the moments of these.
 *
 * <table>
 * <caption>Arrays that are read; others are passed over</caption>
 * <tr><td>{@code feat} [N, D], {@code s_feat} [N, D2]</td><td>activations</td></tr>
 * <tr><td>{@code mu} [D], {@code sigma} [D, D], {@code s_mu}, {@code s_sigma}</td><td>moments</td>
 * </tr>
 * <tr><td>{@code count} [] or [1]</td><td>of how many images the moments are; may be missing</td>
 * </tr>
 * <tr><td>{@code mu_s}, {@code sigma_s}</td><td>spatial moments in ADM's reference batches</td>
 * </tr>
 * </table>
 *
 * <p>All but the count, which is an integer, are float16, float32 or float64. Spatial features come
 * out channel by channel, whatever their order in the file. Opening reads the headers only; {@link
 * #close()} ends what was handed out.
 */
public final class ActivationsFile implements ActivationSet {
  private final Path path;
  private final NpzFile file;
  private final Map<Feature, NpzActivations> activations = new EnumMap<>(Feature.class);
  private final Map<Feature, MomentArrays> moments = new EnumMap<>(Feature.class);
  private final OptionalLong count;

  /** Where a file has a mean and a covariance. */
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
            "holds pictures ('arr_0'), as ADM's samples do, but no activations of them:"
                + " 'rdm evaluate activations --data' makes these");
      }
      throw new FileException(
          path,
          "holds neither activations ('feat') nor moments ('mu' and 'sigma'), only: %s"
              .formatted(names.isEmpty() ? "nothing" : NpzFile.list(file.names())));
    }
    this.count = names.contains("count") ? readCount() : rows();
  }

  /**
   * Opens a file whose spatial features are in the order that its names stand for: ADM's for {@code
   * mu_s}, the reference's else.
   *
   * @throws FileException when it cannot be read, holds none of the arrays known, or one of another
   *     type or shape
   */
  public static ActivationsFile open(Path path) {
    return open(path, null);
  }

  /** As {@link #open(Path)}, of a file whose spatial features are in another order. */
  public static ActivationsFile open(Path path, @Nullable SpatialOrder order) {
    NpzFile file = NpzFile.open(path);
    try {
      return new ActivationsFile(path, file, order);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Whether a file is one of activations or moments, as far as its headers say. */
  public static boolean isActivations(Path path) {
    try (ActivationsFile _ = open(path)) {
      return true;
    } catch (RdmException _) {
      return false;
    }
  }

  /** The file. */
  public Path path() {
    return path;
  }

  /**
   * The SHA-256 of the Inception weights behind the features, which files have that this project
   * extracted.
   */
  public Optional<String> inceptionSha256() {
    return Provenance.sha256(file.comment());
  }

  /**
   * How the pictures were drawn from a larger set whose features these are, which files tell that
   * this project extracted; empty where all of a set were taken, or nothing is known.
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
              ? "holds moments only: activations ('%s') are needed for %s"
                  .formatted(feature.array(), purpose)
              : "holds no '%s', needed for %s".formatted(feature.array(), purpose));
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
          "holds neither '%s' nor '%s' and '%s', needed for %s"
              .formatted(feature.array(), feature.mean(), feature.covariance(), purpose));
    }
    return rows;
  }

  private static boolean has(Set<String> names, String mean, String covariance) {
    return names.contains(mean) && names.contains(covariance);
  }

  /** Looks at the headers of both. */
  private MomentArrays momentArrays(String mean, String covariance, SpatialOrder order) {
    try (NpyReader reader = file.array(mean).expect(NpzActivations.FLOATS, -1)) {
      long dimensions = reader.shape()[0];
      NpzActivations.checkDimensions(path, mean, dimensions);
      file.array(covariance).expect(NpzActivations.FLOATS, dimensions, dimensions).close();
      return new MomentArrays(mean, covariance, dimensions, order);
    }
  }

  /** N of the activations, which is the same for both kinds. */
  private OptionalLong rows() {
    NpzActivations pool = activations.get(Feature.POOL);
    NpzActivations spatial = activations.get(Feature.SPATIAL);
    if (pool != null && spatial != null && pool.count() != spatial.count()) {
      throw new FileException(
          path,
          "array '%s' is of %s images, but '%s' is of %s"
              .formatted(pool.array(), pool.count(), spatial.array(), spatial.count()));
    }
    NpzActivations any = pool != null ? pool : spatial;
    return any == null ? OptionalLong.empty() : OptionalLong.of(any.count());
  }

  /** The number that the array is; of any other array of that name nothing is known. */
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
