;; Types that only this module knows do no harm where nobody else has to declare them.
(module
  (rec (type $list (struct (field (ref null $list)))) (type $visit (func (param (ref null $list)))))
  (type $open (sub (func (param i32))))
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (type $visit))
  (func (type $open))
)
