create_bd_design "finn_design"
add_files -norecurse xnorflow_fifo.sv
add_files -norecurse xnorflow_credit_fifo.sv
add_files -norecurse xnorflow_fold_steps.sv
add_files -norecurse xnorflow_fold_pipeline.sv
add_files -norecurse xnorflow_start_values.sv
add_files -norecurse xnorflow_sum_tree.sv
add_files -norecurse xnorflow_popcount_pipeline.sv
add_files -norecurse xnorflow_sign_sum.sv
add_files -norecurse xnorflow_popcount_array.sv
add_files -norecurse xnorflow_carry4.sv
add_files -norecurse xnorflow_counter.sv
add_files -norecurse xnorflow_parity_tree.sv
add_files -norecurse xnorflow_xnor_carries.sv
add_files -norecurse xnorflow_row_accumulator.sv
add_files -norecurse xnorflow_beat_buffer.sv
add_files -norecurse xnorflow_sum_result.sv
add_files -norecurse xnorflow_xnor_unit.sv
add_files -norecurse xnorflow_compressor_2x3_1.sv
add_files -norecurse fc0_mvau_array.sv
add_files -norecurse fc0_mvau.sv
add_files -norecurse fc0_mvau_cell.v
create_bd_cell -type module -reference fc0_mvau_cell fc0_mvau
add_files -norecurse xnorflow_fifo.sv
add_files -norecurse xnorflow_credit_fifo.sv
add_files -norecurse xnorflow_fold_steps.sv
add_files -norecurse xnorflow_fold_pipeline.sv
add_files -norecurse xnorflow_start_values.sv
add_files -norecurse xnorflow_sum_tree.sv
add_files -norecurse xnorflow_xnor_popcount.sv
add_files -norecurse xnorflow_sign_sum.sv
add_files -norecurse xnorflow_product_sum.sv
add_files -norecurse xnorflow_mvau.sv
add_files -norecurse fc1_mvau.sv
add_files -norecurse fc1_mvau_cell.v
create_bd_cell -type module -reference fc1_mvau_cell fc1_mvau
add_files -norecurse xnorflow_fifo.sv
add_files -norecurse xnorflow_credit_fifo.sv
add_files -norecurse xnorflow_fold_steps.sv
add_files -norecurse xnorflow_fold_pipeline.sv
add_files -norecurse xnorflow_start_values.sv
add_files -norecurse xnorflow_sum_tree.sv
add_files -norecurse xnorflow_xnor_popcount.sv
add_files -norecurse xnorflow_sign_sum.sv
add_files -norecurse xnorflow_product_sum.sv
add_files -norecurse xnorflow_mvau.sv
add_files -norecurse fc2_mvau.sv
add_files -norecurse fc2_mvau_cell.v
create_bd_cell -type module -reference fc2_mvau_cell fc2_mvau
add_files -norecurse sim_ctrl.v
create_bd_cell -type module -reference sim_ctrl sim_ctrl_0
make_bd_pins_external [get_bd_pins fc0_mvau/ap_clk]
set_property name ap_clk [get_bd_ports ap_clk_0]
make_bd_pins_external [get_bd_pins fc0_mvau/ap_rst_n]
set_property name ap_rst_n [get_bd_ports ap_rst_n_0]
connect_bd_net [get_bd_ports ap_rst_n] [get_bd_pins fc1_mvau/ap_rst_n]
connect_bd_net [get_bd_ports ap_clk] [get_bd_pins fc1_mvau/ap_clk]
connect_bd_intf_net [get_bd_intf_pins fc0_mvau/out0_V] [get_bd_intf_pins fc1_mvau/in0_V]
connect_bd_net [get_bd_ports ap_rst_n] [get_bd_pins fc2_mvau/ap_rst_n]
connect_bd_net [get_bd_ports ap_clk] [get_bd_pins fc2_mvau/ap_clk]
connect_bd_intf_net [get_bd_intf_pins fc1_mvau/out0_V] [get_bd_intf_pins fc2_mvau/in0_V]
make_bd_intf_pins_external [get_bd_intf_pins fc0_mvau/in0_V]
set_property name s_axis_0 [get_bd_intf_ports in0_V_0]
make_bd_intf_pins_external [get_bd_intf_pins fc2_mvau/out0_V]
set_property name m_axis_0 [get_bd_intf_ports out0_V_0]
connect_bd_net [get_bd_ports ap_clk] [get_bd_pins sim_ctrl_0/ap_clk]
make_bd_pins_external [get_bd_pins sim_ctrl_0/sim_finish]
set_property name sim_finish [get_bd_ports sim_finish_0]
set_property CONFIG.FREQ_HZ 100000000 [get_bd_ports /ap_clk]
