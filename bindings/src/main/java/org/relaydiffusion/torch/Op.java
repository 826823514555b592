package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import org.relaydiffusion.torch.ffi.DispatcherAbi;

/**
 * One ATen operator by its schema name, called with {@code OP.args().t(x).i(1).tensor()}: every
 * argument of the schema in its order, defaults included.
 *
 * <p>So a further operator is one line, e.g. {@code static final Op ERF = Op.of("aten::erf"); ...
 * ERF.args().t(x).tensor()}.
 */
final class Op {
  private final String label;
  private final MemorySegment name;
  private final MemorySegment overload;

  private Op(String label, String name, String overload) {
    this.label = label;
    this.name = DispatcherAbi.name(name);
    this.overload = DispatcherAbi.name(overload);
  }

  /** The operator of a schema name such as {@code aten::add.Tensor}. */
  static Op of(String schemaName) {
    int dot = schemaName.indexOf('.');
    return dot < 0
        ? new Op(schemaName, schemaName, "")
        : new Op(schemaName, schemaName.substring(0, dot), schemaName.substring(dot + 1));
  }

  /** Begins a call; it ends with {@code tensor()}, {@code tensors()} or the like. */
  OpArgs args() {
    return new OpArgs(this);
  }

  String label() {
    return label;
  }

  MemorySegment name() {
    return name;
  }

  MemorySegment overload() {
    return overload;
  }
}
