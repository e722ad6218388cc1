-- Which server this is: the folder of its data.
SELECT current_setting('data_directory')
