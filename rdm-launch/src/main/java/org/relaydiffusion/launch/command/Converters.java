// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Interpolation;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.convert.Crop;
import org.relaydiffusion.diffusion.data.convert.Resolution;
import org.relaydiffusion.diffusion.data.convert.Split;
import org.relaydiffusion.diffusion.train.NetworkPreset;
import org.relaydiffusion.diffusion.train.Saving.SnapshotFormat;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.distributed.DdpOptions;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Conversion of option values from and to text. */
public final class Converters {
  private static final List<DType> NETWORK_TYPES =
      List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16);

  private Converters() {}

  /** Registers the types of this project's options with {@code root} and its subcommands. */
  public static void register(CommandLine root) {
    root.registerConverter(double.class, Converters::number);
    root.registerConverter(Path.class, inOwnWords(FileNames::path));
    root.registerConverter(FileLocation.class, inOwnWords(FileLocation::parse));
    root.registerConverter(ComputeType.class, inOwnWords(ComputeType::parse));
    root.registerConverter(Noise.class, inOwnWords(Noise::parse));
    root.registerConverter(Interpolation.class, inOwnWords(Interpolation::parse));
    root.registerConverter(StageRange.class, inOwnWords(StageRange::parse));
    root.registerConverter(Crop.class, inOwnWords(Crop::parse));
    root.registerConverter(Resolution.class, inOwnWords(Resolution::parse));
    root.registerConverter(IntList.class, inOwnWords(IntList::parse));
    root.registerConverter(DType.class, Converters::networkType);
    root.registerConverter(Preset.class, Converters::preset);
    registerNames(root, Numerics.class);
    registerNames(root, CudaGraphs.class);
    registerNames(root, Switch.class);
    registerNames(root, DdpOptions.Averaging.class);
    registerNames(root, NetworkPreset.class);
    registerNames(root, SnapshotFormat.class);
    root.registerConverter(boolean.class, Converters::truth);
    registerNames(root, Which.class);
    registerNames(root, BadImages.class);
    registerNames(root, Split.class);
  }

  /** Registers the constants of {@code type}, by name, with {@code root} and its subcommands. */
  public static <E extends Enum<E>> void registerNames(CommandLine root, Class<E> type) {
    root.registerConverter(type, text -> oneOf(type.getEnumConstants(), text));
  }

  /**
   * Registers a type whose values are parsed with messages of their own, with {@code root} and its
   * subcommands.
   *
   * @param parse throws an {@link OptionException} for other values
   */
  public static <T> void register(CommandLine root, Class<T> type, Function<String, T> parse) {
    root.registerConverter(type, inOwnWords(parse));
  }

  /**
   * Formats a number as on the reference's command lines: {@code 80}, {@code 0.002}, {@code inf}.
   */
  public static String text(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    long whole = (long) value;
    return whole == value ? Long.toString(whole) : Double.toString(value);
  }

  private static double number(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "inf", "+inf", "infinity" -> Double.POSITIVE_INFINITY;
      case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
      default -> {
        // Java alone would also accept 'NaN', hexadecimal numbers and '1f'.
        if (!text.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?")) {
          throw new TypeConversionException("'%s' is not a number".formatted(text));
        }
        yield Double.parseDouble(text);
      }
    };
  }

  /** Returns whether a text can be parsed as true or false. */
  public static boolean isTruth(String text) {
    try {
      truth(text);
      return true;
    } catch (TypeConversionException _) {
      return false;
    }
  }

  /** Parses a boolean as on the reference's command lines: {@code 1}, {@code true}, {@code yes}. */
  private static boolean truth(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "1", "true", "t", "yes", "y", "on" -> true;
      case "0", "false", "f", "no", "n", "off" -> false;
      default ->
          throw new TypeConversionException("expected true or false, but was '%s'".formatted(text));
    };
  }

  private static DType networkType(String text) {
    return DType.ofTorchName(text)
        .filter(NETWORK_TYPES::contains)
        .orElseThrow(() ->
            new TypeConversionException(
                "expected float32, bfloat16 or float16, but was '%s'".formatted(text)));
  }

  private static Preset preset(String text) {
    String name = text.replace('-', '_');
    return Arrays.stream(Preset.values())
        .filter(preset -> preset.script().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new TypeConversionException(
                "expected generate, generate_celebahq or generate_imagenet, but was '%s'"
                    .formatted(text)));
  }

  private static <E extends Enum<E>> E oneOf(E[] values, String text) {
    return Arrays.stream(values)
        .filter(value -> value.name().equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(() ->
            new TypeConversionException(
                "expected one of %s, but was '%s'"
                    .formatted(Arrays.toString(values).toLowerCase(Locale.ROOT), text)));
  }

  private static <T> ITypeConverter<T> inOwnWords(Function<String, T> parse) {
    return text -> {
      try {
        return parse.apply(text);
      } catch (OptionException e) {
        throw new TypeConversionException(e.getMessage());
      }
    };
  }
}
