;; Sums and copies of float32 arrays in the ranks' shared memory. Addresses and sizes are in bytes and
;; elements; arrays start at multiples of 16 bytes only where the caller wants speed, never for
;; correctness. Every element is one IEEE addition: the result does not depend on how lanes are taken.
(module
  (import "ranks" "memory" (memory 1 65536 shared))

  ;; dst[i] = a[i] + b[i] for i < count; dst may be a or b.
  (func (export "sum2") (param $dst i32) (param $a i32) (param $b i32) (param $count i32)
    (local $end i32)
    ;; 16 elements at a time: four vectors keep the load ports busy.
    (local.set $end (i32.add (local.get $dst) (i32.shl (i32.and (local.get $count) (i32.const -16)) (i32.const 2))))
    (block $done_vectors
      (loop $vectors
        (br_if $done_vectors (i32.ge_u (local.get $dst) (local.get $end)))
        (v128.store (local.get $dst)
          (f32x4.add (v128.load (local.get $a)) (v128.load (local.get $b))))
        (v128.store offset=16 (local.get $dst)
          (f32x4.add (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b))))
        (v128.store offset=32 (local.get $dst)
          (f32x4.add (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b))))
        (v128.store offset=48 (local.get $dst)
          (f32x4.add (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b))))
        (local.set $dst (i32.add (local.get $dst) (i32.const 64)))
        (local.set $a (i32.add (local.get $a) (i32.const 64)))
        (local.set $b (i32.add (local.get $b) (i32.const 64)))
        (br $vectors)))
    (local.set $end (i32.add (local.get $dst) (i32.shl (i32.and (local.get $count) (i32.const 15)) (i32.const 2))))
    (block $done
      (loop $singles
        (br_if $done (i32.ge_u (local.get $dst) (local.get $end)))
        (f32.store (local.get $dst)
          (f32.add (f32.load (local.get $a)) (f32.load (local.get $b))))
        (local.set $dst (i32.add (local.get $dst) (i32.const 4)))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (local.set $b (i32.add (local.get $b) (i32.const 4)))
        (br $singles))))

  ;; dst[i] = the sum of the sources' element i, in their order, for i < count. `table` holds the sources'
  ;; addresses; each may be dst. An element is stored when all its sources were read.
  (func (export "sum") (param $dst i32) (param $table i32) (param $sources i32) (param $count i32)
    (local $at i32) (local $vector_bytes i32) (local $bytes i32) (local $k i32) (local $src i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $one f32)
    (local.set $bytes (i32.shl (local.get $count) (i32.const 2)))
    (local.set $vector_bytes (i32.and (local.get $bytes) (i32.const -64)))
    (block $done_vectors
      (loop $vectors
        (br_if $done_vectors (i32.ge_u (local.get $at) (local.get $vector_bytes)))
        (local.set $src (i32.add (i32.load (local.get $table)) (local.get $at)))
        (local.set $a (v128.load (local.get $src)))
        (local.set $b (v128.load offset=16 (local.get $src)))
        (local.set $c (v128.load offset=32 (local.get $src)))
        (local.set $d (v128.load offset=48 (local.get $src)))
        (local.set $k (i32.const 1))
        (block $summed
          (loop $next
            (br_if $summed (i32.ge_u (local.get $k) (local.get $sources)))
            (local.set $src (i32.add
              (i32.load (i32.add (local.get $table) (i32.shl (local.get $k) (i32.const 2))))
              (local.get $at)))
            (local.set $a (f32x4.add (local.get $a) (v128.load (local.get $src))))
            (local.set $b (f32x4.add (local.get $b) (v128.load offset=16 (local.get $src))))
            (local.set $c (f32x4.add (local.get $c) (v128.load offset=32 (local.get $src))))
            (local.set $d (f32x4.add (local.get $d) (v128.load offset=48 (local.get $src))))
            (local.set $k (i32.add (local.get $k) (i32.const 1)))
            (br $next)))
        (local.set $src (i32.add (local.get $dst) (local.get $at)))
        (v128.store (local.get $src) (local.get $a))
        (v128.store offset=16 (local.get $src) (local.get $b))
        (v128.store offset=32 (local.get $src) (local.get $c))
        (v128.store offset=48 (local.get $src) (local.get $d))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $vectors)))
    (block $done
      (loop $singles
        (br_if $done (i32.ge_u (local.get $at) (local.get $bytes)))
        (local.set $one (f32.load (i32.add (i32.load (local.get $table)) (local.get $at))))
        (local.set $k (i32.const 1))
        (block $summed_one
          (loop $next_one
            (br_if $summed_one (i32.ge_u (local.get $k) (local.get $sources)))
            (local.set $one (f32.add (local.get $one) (f32.load (i32.add
              (i32.load (i32.add (local.get $table) (i32.shl (local.get $k) (i32.const 2))))
              (local.get $at)))))
            (local.set $k (i32.add (local.get $k) (i32.const 1)))
            (br $next_one)))
        (f32.store (i32.add (local.get $dst) (local.get $at)) (local.get $one))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $singles))))

  ;; dst[i] = src[i] for i < count; the arrays may overlap.
  (func (export "copy") (param $dst i32) (param $src i32) (param $count i32)
    (memory.copy (local.get $dst) (local.get $src) (i32.shl (local.get $count) (i32.const 2)))))
