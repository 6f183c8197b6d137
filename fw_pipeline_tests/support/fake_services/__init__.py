"""Stand-ins for the public services, on the loopback interface, that answer as the real ones do, faults included.

Start them by hand with `python -m fw_pipeline_tests.support.fake_services --port 8100`, or in a test by the fixture
`services`.
"""
