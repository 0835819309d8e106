"""The file that `predict` writes by itself, read back by xarray, is the dataset."""

import xarray as xr

import jaxalloy as ja
from jaxalloy.dataset import contents, write_netcdf


def test_file_is_the_dataset(tmp_path):
    alloy = ja.Alloy.parse("Mg7Zn3", temperature=673.0)
    state = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore()), ja.Unconstrained())
    write_netcdf(contents(state), tmp_path / "state.nc")
    with xr.open_dataset(tmp_path / "state.nc") as found:
        xr.testing.assert_identical(found.load(), ja.to_dataset(state))
